import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { chaosPage, type ChaosReport } from '../chaos/chaos-report.js';
import { exitCodes } from '../chaos/chaos-verdict.js';
import { runChaos } from '../chaos/run-chaos.js';
import { loadToolsConfig } from '../config.js';
import { floodgateDir } from '../supervisor/clone-platform.js';
import type { CommandContext } from './command.js';

const usage = 'npm run chaos -- [--minutes N] [--seed S] [--report FILE] [--history FILE]';
const minutesNormally = 6;
const minutesMax = 600;
const perSecond = 15;
const seedMax = 2 ** 31 - 1;

/** What `npm run chaos` was asked for. */
export interface ChaosWish {
  readonly minutes: number;
  /** Null: any. */
  readonly seed: number | null;
  readonly reportFile: string | null;
  readonly historyFile: string | null;
}

/** Breaks a platform on purpose, on a seeded schedule, and judges it. Exit 0: valid, 1: invalid, 2: nobody can say. */
export async function chaosCommand({ args, note, stop }: CommandContext): Promise<number> {
  const wish = readArguments(args);
  const seed = wish.seed ?? randomInt(1, seedMax);
  mkdirSync(floodgateDir(), { recursive: true, mode: 0o700 });
  const stateDir = path.join(floodgateDir(), `test-${process.pid}-chaos`);
  const reportFile = resolve(wish.reportFile) ?? path.join(floodgateDir(), 'chaos.json');
  const historyFile = resolve(wish.historyFile);
  const report = await runChaos({ seed, minutes: wish.minutes, stateDir, perSecond, signal: stop, note, ...(historyFile === null ? {} : { historyFile }) });
  const pageFile = pageOf(reportFile);
  writeFileSync(reportFile, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(pageFile, chaosPage(report));
  for (const line of summary(report)) note(line);
  note(`report: ${reportFile}, and as a page: ${pageFile}`);
  if (report.verdict !== 'valid') note(`logs: ${path.join(stateDir, 'logs')}`);
  note(`seed ${seed}: ${report.verdict}`);
  return exitCodes[report.verdict];
}

/** @throws one sentence about what is wrong with the arguments */
export function readArguments(args: readonly string[]): ChaosWish {
  const { values } = parseOrExplain(args);
  const minutes = values.minutes === undefined ? minutesNormally : Number(values.minutes);
  if (!(minutes > 0 && minutes <= minutesMax)) throw new Error(`--minutes must be a number up to ${minutesMax}, not ${values.minutes || 'nothing'}: ${usage}`);
  const seed = values.seed === undefined ? null : Number(values.seed);
  if (seed !== null && !(/^\d{1,10}$/.test(values.seed!) && seed <= seedMax)) throw new Error(`--seed must be a whole number up to ${seedMax}, not ${values.seed || 'nothing'}: ${usage}`);
  for (const name of ['report', 'history'] as const) if (values[name] === '') throw new Error(`--${name} needs a file: ${usage}`);
  return { minutes, seed, reportFile: values.report ?? null, historyFile: values.history ?? null };
}

function parseOrExplain(args: readonly string[]): { values: { minutes?: string; seed?: string; report?: string; history?: string } } {
  try {
    return parseArgs({ args: [...args], options: { minutes: { type: 'string' }, seed: { type: 'string' }, report: { type: 'string' }, history: { type: 'string' } } });
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${usage}`, { cause: error });
  }
}

/** npm runs us at the top of the clone, the caller may sit elsewhere. */
const resolve = (file: string | null): string | null => (file === null ? null : path.resolve(loadToolsConfig().INIT_CWD ?? process.cwd(), file));

/** Beside the report, with another ending. */
const pageOf = (file: string): string => path.join(path.dirname(file), `${path.basename(file, path.extname(file))}.md`);

function summary(report: ChaosReport): string[] {
  const { operations: all, classes } = report;
  return [
    '',
    `  ${report.faults} faults in ${report.seconds} s; ${all.total} operations: ${all.ok} done, ${all.fail} refused, ${all.unknown} unknown at first`,
    `  lost ${classes.lost}, unexpected ${classes.unexpected}, duplicated ${classes.duplicated}, taken back ${classes.takenBack}, otherwise wrong ${classes.wrong}; recovered ${report.recovered}`,
    ...report.recoveries.map(({ kind, struck, medianMs, longestMs, late }) => `  ${kind.padEnd(22)} ${String(struck).padStart(3)} · sold again after ${String(medianMs)} ms, at most ${String(longestMs)} ms${late > 0 ? ` · LATE ${late}` : ''}`),
    ...report.findings.slice(0, 30).map((finding) => `  ! ${finding}`),
    '',
  ];
}
