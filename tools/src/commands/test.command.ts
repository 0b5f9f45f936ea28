import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { repositoryRoot } from '../config.js';
import { postgresDataDir } from '../infra/postgres-data-dir.js';
import { identify } from '../process/process-identity.js';
import { floodgateDir } from '../supervisor/clone-platform.js';
import type { CommandContext } from './command.js';
import { runJest, runJestSteadily } from './jest-run.js';
import { addTallies, emptyTally, tallyLine, type Tally } from './tally.js';
import { runTool } from './tool-run.js';
import { serversAtHand, withServers } from './with-servers.js';

const testDirPattern = /^test-(\d+)-/;

/**
 * Lint, types, unit, integration and end-to-end tests on private servers of their own. With arguments: only the test
 * files whose path matches one of them, without lint and types. The last line is `N passed, N failed`.
 */
export async function testCommand(context: CommandContext): Promise<number> {
  const patterns = context.args;
  removeDeadTestDirs();
  const tally = await (patterns.length > 0 ? someTests(context, patterns) : allTests(context)).catch((error: unknown) => {
    context.note((error as Error).message); // the servers did not start
    return { passed: 0, failed: 1 };
  });
  const complete = context.stop.aborted ? addTallies(tally, { passed: 0, failed: 1 }) : tally; // interrupted: not a success
  if (context.stop.aborted) context.note('interrupted');
  context.note(tallyLine(complete));
  return complete.failed === 0 && complete.passed > 0 ? 0 : 1;
}

/** Unit and architecture tests alone: no servers, in seconds. */
export async function unitCommand({ args, note, stop }: CommandContext): Promise<number> {
  const tally = await runJest({ projects: ['unit'], patterns: args, urls: null, workersMax: 2, stop, note });
  note(tallyLine(tally));
  return tally.failed === 0 ? 0 : 1;
}

async function allTests(context: CommandContext): Promise<Tally> {
  const { note, stop } = context;
  return await withServers(context, null, async (ready) => {
    let tally = emptyTally;
    const add = (more: Tally): void => void (tally = addTallies(tally, more));
    add(await runTool('lint', 'oxlint', ['--type-aware'], stop, note));
    if (!stop.aborted) add(await runTool('types', 'tsc', ['-b'], stop, note));
    const urls = await ready();
    if (!stop.aborted) add(await runJestSteadily({ projects: ['unit', 'integration'], patterns: [], urls, workersMax: 2, stop, note }));
    // One whole platform at a time: two would measure each other on a small machine.
    if (!stop.aborted) add(await runJestSteadily({ projects: ['e2e'], patterns: [], urls, workersMax: 1, stop, note }));
    return tally;
  });
}

async function someTests(context: CommandContext, patterns: readonly string[]): Promise<Tally> {
  const { note, stop } = context;
  return await withServers(context, serversAtHand(), async (ready) =>
    await runJest({ projects: ['unit', 'integration', 'e2e'], patterns, urls: await ready(), workersMax: 1, stop, note }));
}

/** State of earlier test runs that were killed, or kept for whoever looks into a failure. */
function removeDeadTestDirs(): void {
  mkdirSync(floodgateDir(), { recursive: true, mode: 0o700 });
  for (const name of readdirSync(floodgateDir())) {
    const pid = testDirPattern.exec(name)?.[1];
    if (!pid || identify(Number(pid))) continue;
    const dir = path.join(repositoryRoot(), '.floodgate', name);
    for (const stale of [postgresDataDir(dir), dir]) rmSync(stale, { recursive: true, force: true });
  }
}
