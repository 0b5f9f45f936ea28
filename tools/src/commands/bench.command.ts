import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { benchPage } from '../bench/bench-page.js';
import { isClean, reportOf } from '../bench/bench-report.js';
import { benchTable } from '../bench/bench-table.js';
import type { Comparison } from '../bench/comparisons/comparison.js';
import { comparisons } from '../bench/comparisons/comparisons.js';
import { runBench } from '../bench/run-bench.js';
import { loadToolsConfig } from '../config.js';
import { serviceNames, type ServiceName } from '../supervisor/services.js';
import { floodgateDir } from '../supervisor/clone-platform.js';
import type { CommandContext } from './command.js';

const usage = 'npm run bench -- [--rounds N] [--seconds N] [--connections N] [--only NAME,NAME] [--report FILE] [--profile SERVICE]';
const normally = { rounds: 5, seconds: 5, connections: 256 } as const;
const most = { rounds: 100, seconds: 600, connections: 4_096 } as const;

/** What `npm run bench` was asked for. */
export interface BenchWish {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly comparisons: readonly Comparison[];
  readonly reportFile: string | null;
  /** Whose CPU profile is wanted as well. */
  readonly profile: ServiceName | null;
}

/** Measures the platform against others in one run. Exit 0: measured, and every sale that was made is accounted for; 1: not. Targets decide nothing: they are in the report. */
export async function benchCommand({ args, note, stop, hurry }: CommandContext): Promise<number> {
  const wish = readArguments(args);
  const from = loadToolsConfig().INIT_CWD ?? process.cwd(); // npm runs us at the top of the clone, the caller may sit elsewhere
  mkdirSync(floodgateDir(), { recursive: true, mode: 0o700 });
  const folder = wish.reportFile === null ? floodgateDir() : path.dirname(path.resolve(from, wish.reportFile));
  const profile = wish.profile === null ? null : { service: wish.profile, folder };
  const measured = await runBench({ ...wish, profile, stateDir: path.join(floodgateDir(), `test-${process.pid}-bench`), signal: stop, hurry, note });
  const report = reportOf(measured, wish);
  const table = benchTable(report);
  const file = wish.reportFile === null ? path.join(floodgateDir(), 'bench.json') : path.resolve(from, wish.reportFile);
  const beside = (ending: string): string => path.join(path.dirname(file), `${path.basename(file, path.extname(file))}${ending}`);
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(beside('.md'), table);
  writeFileSync(beside('.html'), benchPage(report));
  for (const line of table.split('\n')) note(line);
  note(`report: ${file}, as tables: ${beside('.md')}, and as a page: ${beside('.html')}`);
  return isClean(report) ? 0 : 1;
}

/** @throws one sentence about what is wrong with the arguments */
export function readArguments(args: readonly string[]): BenchWish {
  const { values } = parseOrExplain(args);
  const number = (name: keyof typeof normally): number => {
    const value = values[name] === undefined ? normally[name] : Number(values[name]);
    const whole = name !== 'seconds';
    if (!(value > 0 && value <= most[name]) || (whole && !Number.isSafeInteger(value))) throw new Error(`--${name} must be a ${whole ? 'whole ' : ''}number up to ${most[name]}, not ${values[name] || 'nothing'}: ${usage}`);
    return value;
  };
  const names = values.only === undefined ? comparisons.map(({ name }) => name) : values.only.split(',');
  const unknown = names.find((name) => !comparisons.some((comparison) => comparison.name === name));
  if (unknown !== undefined) throw new Error(`there is no comparison "${unknown}", but ${comparisons.map(({ name }) => name).join(', ')}: ${usage}`);
  if (values.report === '') throw new Error(`--report needs a file: ${usage}`);
  const profile = serviceNames.find((name) => name === values.profile) ?? null;
  if (values.profile !== undefined && profile === null) throw new Error(`--profile needs one of ${serviceNames.join(', ')}: ${usage}`);
  return { profile, rounds: number('rounds'), seconds: number('seconds'), connections: number('connections'), comparisons: comparisons.filter(({ name }) => names.includes(name)), reportFile: values.report ?? null };
}

function parseOrExplain(args: readonly string[]): { values: { rounds?: string; seconds?: string; connections?: string; only?: string; report?: string; profile?: string } } {
  try {
    const text = { type: 'string' } as const;
    return parseArgs({ args: [...args], options: { rounds: text, seconds: text, connections: text, only: text, report: text, profile: text } });
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${usage}`, { cause: error });
  }
}
