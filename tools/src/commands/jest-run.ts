import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { repositoryRoot } from '../config.js';
import type { InfraUrls } from '../infra/private-infra.js';
import type { TestReport } from '../mutants/mutant.js';
import { spawnOwned } from '../process/owned-process.js';
import { unsteady, worthASecondLook } from './second-look.js';
import { addTallies, jestTally, type JestReport, type Tally } from './tally.js';
import { toolEnvironment } from './tool-run.js';

export interface JestOptions {
  /** The clone to test; absent: this one. */
  readonly root?: string;
  readonly projects: readonly ('unit' | 'integration' | 'e2e')[];
  /** Parts of paths; none means every file of the projects. */
  readonly patterns: readonly string[];
  /** These files and no other; absent: what the patterns find. */
  readonly files?: readonly string[];
  /** Regular expressions of the tests to run; absent: all of them. */
  readonly names?: readonly string[];
  /** The servers for integration and end-to-end tests; null where none are needed. */
  readonly urls: InfraUrls | null;
  readonly workersMax: number;
  /** The report alone, without Jest's own words. */
  readonly silent?: boolean;
  /** For the tests, besides what they get anyway. */
  readonly env?: Record<string, string>;
  readonly stop: AbortSignal;
}

/** Jest writes its report, then ends, unless a test left something open: that is a fault of the test. */
const exitWithinMs = 15_000;
const pollMs = 250;

/** Runs Jest and counts from its JSON report. A Jest that does not end, or ends without a report, is one failure. */
export async function runJest(options: JestOptions & { note: (line: string) => void }): Promise<Tally> {
  options.note(`tests: ${options.projects.join(' and ')}`);
  const { report, ended } = await run(options);
  return tallyOf(report, ended, options.note);
}

function tallyOf(report: JestReport | null, ended: 'ended' | 'hung', note: (line: string) => void): Tally {
  const tally = report ? jestTally(report) : { passed: 0, failed: 1 };
  if (ended !== 'hung') return tally;
  note('Jest did not end after its last test: a test leaves a timer, a socket or a process behind');
  return { ...tally, failed: tally.failed + 1 };
}

/**
 * As {@link runJest}; a file that failed runs once more, alone, and what passes only then is named: a machine that others share stands
 * still now and then. What fails twice has failed, and so has at once whatever {@link worthASecondLook} will not excuse.
 */
export async function runJestSteadily(options: JestOptions & { note: (line: string) => void }): Promise<Tally> {
  options.note(`tests: ${options.projects.join(' and ')}`);
  const { report, ended } = await run(options);
  const files = report && ended === 'ended' && !options.stop.aborted ? worthASecondLook(report) : [];
  if (!report || files.length === 0) return tallyOf(report, ended, options.note);
  options.note(`a second look, alone, at ${files.map((file) => path.relative(repositoryRoot(), file)).join(', ')}`);
  const again = await run({ ...options, patterns: [], files, workersMax: 1 });
  if (!again.report) return tallyOf(report, ended, options.note);
  for (const line of unsteady(report, again.report)) options.note(`UNSTEADY, failed at first and passed alone: ${line}`);
  const firstTime = report.testResults.filter(({ name }) => files.includes(name)).flatMap((file) => file.assertionResults);
  const others = { passed: report.numPassedTests - firstTime.filter(({ status }) => status === 'passed').length, failed: 0 };
  return addTallies(others, tallyOf(again.report, again.ended, options.note));
}

/** As {@link runJest}, but the whole report, or null where there is none. */
export async function jestReport(options: JestOptions): Promise<TestReport | null> {
  return (await run(options)).report;
}

async function run({ root = repositoryRoot(), projects, patterns, files = [], names = [], urls, workersMax, silent, stop, env: more = {} }: JestOptions): Promise<{ report: (JestReport & TestReport) | null; ended: 'ended' | 'hung' }> {
  const dir = mkdtempSync(path.join(tmpdir(), 'floodgate-'));
  const file = path.join(dir, 'jest.json');
  const args = [
    path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--selectProjects', ...projects, '--json', `--outputFile=${file}`,
    '--passWithNoTests', ...(workersMax === 1 ? ['--runInBand'] : [`--maxWorkers=${workersMax}`]), ...patterns.flatMap((pattern) => ['--testPathPatterns', pattern]),
    ...(files.length > 0 ? ['--runTestsByPath', ...files] : []),
    ...(names.length > 0 ? ['--testNamePattern', names.join('|')] : []),
  ];
  const servers: Record<string, string> = urls ? { TEST_REDIS_URL: urls.redis, TEST_AMQP_URL: urls.rabbitmq, TEST_DATABASE_URL: urls.postgres } : {};
  const env = { ...toolEnvironment(), ...drillSettings(), ...servers, ...more, NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' };
  const output = silent ? { logFile: path.join(dir, 'jest.log') } : { output: 'errors' as const };
  try {
    const child = spawnOwned({ command: process.execPath, args, env, cwd: root, ...output });
    const ended = await watch(child, file, stop);
    return { report: existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as JestReport & TestReport) : null, ended };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What a tester may set for longer runs, and to play one again: DRILL_ORDERS, DRILL_SEED, DRILL_ROUNDS, DRILL_TRACES, FUZZ_RUNS, FUZZ_SEED. */
function drillSettings(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (/^(?:DRILL|FUZZ)_[A-Z]+$/.test(name) && value !== undefined ? [[name, value]] : [])));
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
