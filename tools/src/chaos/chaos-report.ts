import type { ChaosJudgement, ChaosVerdict } from './chaos-verdict.js';
import { faultKind, faultNames, type FaultName } from './faults.js';
import { isLate, nameOf, type Struck } from './nemesis.js';
import type { OperationCounts } from './operations.js';

/** What happened to each kind of fault. Milliseconds; counted from the moment the part was back until somebody who asked after it was sold something. */
export interface Recovery {
  readonly kind: FaultName;
  readonly struck: number;
  readonly medianMs: number | null;
  readonly longestMs: number | null;
  readonly limitMs: number;
  /** Sold later than the limit, or never. */
  readonly late: number;
}

/** The report of a run, as it is written to a file. */
export interface ChaosReport {
  readonly verdict: ChaosVerdict;
  readonly seed: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly operations: { readonly total: number; readonly ok: number; readonly fail: number; readonly unknown: number };
  readonly operationsByName: OperationCounts;
  readonly classes: ChaosJudgement['classes'];
  /** Keys whose answer was open for a while, and that held something. */
  readonly recovered: number;
  readonly faults: number;
  readonly recoveries: readonly Recovery[];
  /** Deaths at each crash point of the schedule. */
  readonly crashPoints: Readonly<Record<string, number>>;
  readonly deadLetters: number;
  readonly steps: readonly { readonly step: string; readonly atMs: number; readonly awayMs: number; readonly sellsAfterMs: number | null; readonly hit?: boolean; readonly failed?: string }[];
  readonly findings: readonly string[];
}

/** Kinds that struck, in the order of the table. A median of an even number of values is the higher of the two in the middle. */
export function recoveriesOf(struck: readonly Struck[]): Recovery[] {
  return faultNames.flatMap((kind) => {
    const mine = struck.filter(({ step }) => step.fault === kind);
    if (mine.length === 0) return [];
    const times = mine.flatMap(({ sellsAfterMs }) => sellsAfterMs ?? []).toSorted((a, b) => a - b);
    return [{
      kind, struck: mine.length, medianMs: times[Math.floor(times.length / 2)] ?? null, longestMs: times.at(-1) ?? null,
      limitMs: faultKind(kind).sellsWithinSeconds * 1_000, late: mine.filter(isLate).length,
    }];
  });
}

/** A step as the report has it. */
export function stepOf({ step, atMs, awayMs, sellsAfterMs, hit, failed }: Struck): ChaosReport['steps'][number] {
  return { step: nameOf(step), atMs, awayMs, sellsAfterMs, ...(hit === undefined ? {} : { hit }), ...(failed === undefined ? {} : { failed }) };
}

const seconds = (ms: number | null): string => (ms === null ? 'never' : `${(ms / 1_000).toFixed(1)} s`);
const number = (value: number): string => value.toLocaleString('en-GB');

/** The same as one page for people, in Markdown. */
export function chaosPage(report: ChaosReport): string {
  const { operations: all, classes } = report;
  return [
    `# Chaos, seed ${report.seed}: ${report.verdict}`,
    '',
    `\`npm run chaos -- --seed ${report.seed} --minutes ${report.minutes}\` took ${report.seconds} s: ${number(report.faults)} faults under ${number(all.total)} operations (${number(all.ok)} done, ${number(all.fail)} refused, ${number(all.unknown)} without a certain answer at first).`,
    '',
    `Lost ${classes.lost}, unexpected ${classes.unexpected}, duplicated ${classes.duplicated}, taken back ${classes.takenBack}, otherwise wrong ${classes.wrong}. Recovered: ${number(report.recovered)} keys whose answer was open for a while. Dead letters: ${report.deadLetters}, all of them poisoned.`,
    '',
    ...(report.findings.length > 0 ? ['## What stands against it', '', ...report.findings.map((finding) => `- ${finding}`), ''] : []),
    '## Until somebody is sold something again',
    '',
    '| Fault | | Struck | Median | Longest | Limit | Late |', '|---|---|---|---|---|---|---|',
    ...report.recoveries.map(({ kind, struck, medianMs, longestMs, limitMs, late }) => `| ${kind} | ${faultKind(kind).what} | ${struck} | ${seconds(medianMs)} | ${seconds(longestMs)} | ${limitMs / 1_000} s | ${late} |`),
    '',
    '## Operations',
    '',
    '| Operation | Done | Refused | Unknown |', '|---|---|---|---|',
    ...Object.entries(report.operationsByName).map(([name, { ok, fail, unknown }]) => `| ${name} | ${number(ok)} | ${number(fail)} | ${number(unknown)} |`),
    '',
    '## Deaths at crash points',
    '',
    '| Point | Deaths |', '|---|---|',
    ...Object.entries(report.crashPoints).map(([point, deaths]) => `| ${point} | ${deaths} |`),
    '',
    '## Every fault',
    '',
    '| At | Fault | Away | Sold again after | |', '|---|---|---|---|---|',
    ...report.steps.map(({ step, atMs, awayMs, sellsAfterMs, hit, failed }) => `| ${seconds(atMs)} | ${step} | ${seconds(awayMs)} | ${seconds(sellsAfterMs)} | ${failed ?? (hit === false ? 'not hit' : '')} |`),
    '',
  ].join('\n');
}
