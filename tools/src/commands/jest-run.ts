import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { repositoryRoot } from '../config.js';
import type { InfraUrls } from '../infra/private-infra.js';
import { spawnOwned } from '../process/owned-process.js';
import { jestTally, type JestReport, type Tally } from './tally.js';
import { toolEnvironment } from './tool-run.js';

export interface JestOptions {
  readonly projects: readonly ('unit' | 'integration' | 'e2e')[];
  /** Parts of paths; none means every file of the projects. */
  readonly patterns: readonly string[];
  /** The servers for integration and end-to-end tests; null where none are needed. */
  readonly urls: InfraUrls | null;
  readonly workersMax: number;
  readonly stop: AbortSignal;
  readonly note: (line: string) => void;
}

/** Jest writes its report, then ends, unless a test left something open: that is a fault of the test. */
const exitWithinMs = 15_000;
const pollMs = 250;

/** Runs Jest and counts from its JSON report. A Jest that does not end, or ends without a report, is one failure. */
export async function runJest({ projects, patterns, urls, workersMax, stop, note }: JestOptions): Promise<Tally> {
  const dir = mkdtempSync(path.join(tmpdir(), 'floodgate-'));
  const report = path.join(dir, 'jest.json');
  const args = [
    path.join(repositoryRoot(), 'node_modules', 'jest', 'bin', 'jest.js'), '--selectProjects', ...projects, '--json', `--outputFile=${report}`,
    '--passWithNoTests', ...(workersMax === 1 ? ['--runInBand'] : [`--maxWorkers=${workersMax}`]), ...patterns.flatMap((pattern) => ['--testPathPatterns', pattern]),
  ];
  const servers: Record<string, string> = urls ? { TEST_REDIS_URL: urls.redis, TEST_AMQP_URL: urls.rabbitmq, TEST_DATABASE_URL: urls.postgres } : {};
  const env = { ...toolEnvironment(), ...servers, NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' };
  try {
    note(`tests: ${projects.join(' and ')}`);
    const child = spawnOwned({ command: process.execPath, args, env, cwd: repositoryRoot(), output: 'errors' });
    const ended = await watch(child, report, stop);
    const tally = existsSync(report) ? jestTally(JSON.parse(readFileSync(report, 'utf8')) as JestReport) : { passed: 0, failed: 1 };
    if (ended !== 'hung') return tally;
    note('Jest did not end after its last test: a test leaves a timer, a socket or a process behind');
    return { ...tally, failed: tally.failed + 1 };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function watch(child: ChildProcess, report: string, stop: AbortSignal): Promise<'ended' | 'hung'> {
  let reportedAt: number | null = null;
  let result: 'ended' | 'hung' = 'ended';
  const kill = (): void => killTree(child);
  stop.addEventListener('abort', kill, { once: true });
  const timer = setInterval(() => {
    if (reportedAt === null && existsSync(report)) reportedAt = Date.now();
    if (reportedAt === null || Date.now() - reportedAt < exitWithinMs) return;
    result = 'hung';
    killTree(child);
  }, pollMs);
  await new Promise<void>((resolve) => child.once('exit', () => resolve()));
  clearInterval(timer);
  stop.removeEventListener('abort', kill);
  return result;
}

/** Jest's workers are in its group; platforms that its tests started die with the worker that owns them. */
function killTree({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: it ended by itself in this moment
  }
}
