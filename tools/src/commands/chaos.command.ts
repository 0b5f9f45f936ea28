import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { chaosPage, type ChaosReport } from '../chaos/chaos-report.js';
import { exitCodes } from '../chaos/chaos-verdict.js';
import { runChaos } from '../chaos/run-chaos.js';
import { killsPage, runKills } from '../chaos/run-kills.js';
import { loadToolsConfig } from '../config.js';
import { floodgateDir } from '../supervisor/clone-platform.js';
import type { CommandContext } from './command.js';

const usage = 'npm run chaos -- [--minutes N] [--seed S] [--report FILE] [--history FILE] | --kills [--rounds N] [--report FILE]';
const minutesNormally = 6;
const minutesMax = 600;
const perSecond = 15;
const seedMax = 2 ** 31 - 1;
const roundsMax = 100;
/** What the kill scenarios are about: 2,000 units, 1,500 buyers in whose rush the kill comes, and 3,000 after it. */
const kills = { units: 2_000, buyers: [1_500, 3_000] } as const;

/** What `npm run chaos` was asked for. */
export interface ChaosWish {
  readonly minutes: number;
  /** Null: any. */
  readonly seed: number | null;
  readonly reportFile: string | null;
  readonly historyFile: string | null;
  /** The five kill scenarios instead, each so many times; null: no. */
  readonly kills: number | null;
}

/** Breaks a platform on purpose, on a seeded schedule, and judges it. Exit 0: valid, 1: invalid, 2: nobody can say. */
export async function chaosCommand(context: CommandContext): Promise<number> {
  const wish = readArguments(context.args);
  mkdirSync(floodgateDir(), { recursive: true, mode: 0o700 });
  const stateDir = path.join(floodgateDir(), `test-${process.pid}-chaos`);
  return wish.kills === null ? await breakIt(context, wish, stateDir) : await killIt(context, wish.kills, { stateDir, wish });
}

async function breakIt({ note, stop, hurry }: CommandContext, wish: ChaosWish, stateDir: string): Promise<number> {
  const seed = wish.seed ?? randomInt(1, seedMax);
  const historyFile = resolve(wish.historyFile);
  const report = await runChaos({ seed, minutes: wish.minutes, stateDir, perSecond, signal: stop, hurry, note, ...(historyFile === null ? {} : { historyFile }) });
  for (const line of summary(report)) note(line);
  writeReport(resolve(wish.reportFile) ?? path.join(floodgateDir(), 'chaos.json'), report, chaosPage(report), note);
  if (report.verdict !== 'valid') note(`logs: ${path.join(stateDir, 'logs')}`);
  note(`seed ${seed}: ${report.verdict}`);
  return exitCodes[report.verdict];
}

async function killIt({ note, stop, hurry }: CommandContext, rounds: number, { stateDir, wish }: { stateDir: string; wish: ChaosWish }): Promise<number> {
  const report = await runKills({ ...kills, rounds, stateDir, signal: stop, hurry, note });
  const page = killsPage(report);
  for (const line of page.split('\n')) note(line);
  writeReport(resolve(wish.reportFile) ?? path.join(floodgateDir(), 'kills.json'), report, page, note);
  if (report.verdict !== 'valid') note(`logs: ${path.join(stateDir, 'logs')}`);
  note(`kills: ${report.verdict}`);
  return exitCodes[report.verdict];
}

function writeReport(file: string, report: unknown, page: string, note: (line: string) => void): void {
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(pageOf(file), page);
  note(`report: ${file}, and as a page: ${pageOf(file)}`);
}

/** @throws one sentence about what is wrong with the arguments */
export function readArguments(args: readonly string[]): ChaosWish {
  const { values } = parseOrExplain(args);
  const minutes = values.minutes === undefined ? minutesNormally : Number(values.minutes);
  if (!(minutes > 0 && minutes <= minutesMax)) throw new Error(`--minutes must be a number up to ${minutesMax}, not ${values.minutes || 'nothing'}: ${usage}`);
  const seed = values.seed === undefined ? null : Number(values.seed);
  if (seed !== null && !(/^\d{1,10}$/.test(values.seed!) && seed <= seedMax)) throw new Error(`--seed must be a whole number up to ${seedMax}, not ${values.seed || 'nothing'}: ${usage}`);
  if (values.rounds !== undefined && !values.kills) throw new Error(`--rounds belongs to --kills: ${usage}`);
  if (values.kills && (values.minutes ?? values.seed ?? values.history) !== undefined) throw new Error(`--kills knows neither minutes nor seed nor history: ${usage}`);
  const rounds = values.rounds === undefined ? 1 : Number(values.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1 || rounds > roundsMax) throw new Error(`--rounds must be a whole number up to ${roundsMax}, not ${values.rounds || 'nothing'}: ${usage}`);
  for (const name of ['report', 'history'] as const) if (values[name] === '') throw new Error(`--${name} needs a file: ${usage}`);
  return { minutes, seed, reportFile: values.report ?? null, historyFile: values.history ?? null, kills: values.kills ? rounds : null };
}

function parseOrExplain(args: readonly string[]): { values: { minutes?: string; seed?: string; report?: string; history?: string; rounds?: string; kills?: boolean } } {
  try {
    return parseArgs({ args: [...args], options: { minutes: { type: 'string' }, seed: { type: 'string' }, report: { type: 'string' }, history: { type: 'string' }, rounds: { type: 'string' }, kills: { type: 'boolean' } } });
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
