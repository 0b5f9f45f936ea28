import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { loadToolsConfig, repositoryRoot, type ToolsConfig } from '../config.js';
import { readRunningInfra } from '../infra/infra-file.js';
import { postgresDataDir } from '../infra/postgres-data-dir.js';
import { PrivateInfra, type InfraUrls } from '../infra/private-infra.js';
import { loadSecrets } from '../infra/secrets.js';
import { identify } from '../process/process-identity.js';
import { floodgateDir } from '../supervisor/clone-platform.js';
import { aborted, type CommandContext } from './command.js';
import { runJest } from './jest-run.js';
import { addTallies, emptyTally, tallyLine, type Tally } from './tally.js';
import { runTool } from './tool-run.js';

const testDirPattern = /^test-(\d+)-/;

/**
 * Lint, types, unit, integration and end-to-end tests on private servers of their own. With arguments: only the test
 * files whose path matches one of them, without lint and types. The last line is `N passed, N failed`.
 */
export async function testCommand(context: CommandContext): Promise<number> {
  const patterns = context.args;
  removeDeadTestDirs();
  const tally = patterns.length > 0 ? await someTests(context, patterns) : await allTests(context);
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
    if (!stop.aborted) add(await runJest({ projects: ['unit', 'integration'], patterns: [], urls, workersMax: 2, stop, note }));
    // One whole platform at a time: two would measure each other on a small machine.
    if (!stop.aborted) add(await runJest({ projects: ['e2e'], patterns: [], urls, workersMax: 1, stop, note }));
    return tally;
  });
}

async function someTests(context: CommandContext, patterns: readonly string[]): Promise<Tally> {
  const { note, stop } = context;
  const config = loadToolsConfig();
  return await withServers(context, givenUrls(config) ?? readRunningInfra(), async (ready) =>
    await runJest({ projects: ['unit', 'integration', 'e2e'], patterns, urls: await ready(), workersMax: 1, stop, note }));
}

/** Runs `use` with servers that start meanwhile; `ready` waits for them. A failure to start is a failed test. */
async function withServers({ note, stop }: CommandContext, given: InfraUrls | null, use: (ready: () => Promise<InfraUrls>) => Promise<Tally>): Promise<Tally> {
  if (given) return await use(() => Promise.resolve(given));
  const stateDir = path.join(floodgateDir(), `test-${process.pid}-servers`);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const infra = new PrivateInfra({
    stateDir, logDir: path.join(stateDir, 'logs'), config: loadToolsConfig(), passwords: loadSecrets(stateDir), note,
    onEvent: (event, server, detail) => {
      if (event !== 'started') note(`${server.spec.name} ${event} (${detail})`);
    },
  });
  const starting = infra.start();
  starting.catch(() => undefined); // awaited by `ready`
  try {
    return await use(async () => {
      await Promise.race([starting, aborted(stop)]);
      return infra.urls;
    });
  } catch (error) {
    note((error as Error).message);
    return { passed: 0, failed: 1 };
  } finally {
    await infra.stop();
    for (const dir of [postgresDataDir(stateDir), stateDir]) rmSync(dir, { recursive: true, force: true });
  }
}

function givenUrls({ TEST_REDIS_URL, TEST_AMQP_URL, TEST_DATABASE_URL }: ToolsConfig): InfraUrls | null {
  if (!TEST_REDIS_URL || !TEST_AMQP_URL || !TEST_DATABASE_URL) return null;
  return { redis: TEST_REDIS_URL, rabbitmq: TEST_AMQP_URL, postgres: TEST_DATABASE_URL };
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
