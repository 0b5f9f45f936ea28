import type { BenchReport, ComparisonReport, SubjectReport, TargetReport } from './bench-report.js';
import type { Spread } from './statistics.js';

const words = { stretch: 'yes, and the stretch goal', must: 'yes', missed: '**no**' } as const;

/** The report as Markdown: a table per comparison, and what it says of the targets. */
export function benchTable(report: BenchReport): string {
  const { machine, rounds, secondsPerRound, connections } = report;
  return [
    '# Bench',
    '',
    `${report.at}, Node ${machine.node}, ${machine.cpus} × ${machine.model}, ${machine.memoryGiB} GiB. Medians of ${rounds} rounds (least to most), ${secondsPerRound} s of load each, ${connections} connections; the load comes from the same machine.`,
    ...report.comparisons.flatMap(section),
    '',
  ].join('\n');
}

function section({ title, operation, subjects, targets }: ComparisonReport): string[] {
  const audits = subjects.flatMap((subject) => subject.audits);
  return [
    '', `## ${title}`, '',
    `| | CPU-µs per ${operation} | by process | per second | p50 ms | p99 ms | memory MiB |`,
    '|---|---|---|---|---|---|---|',
    ...subjects.map(row),
    '',
    '| target | measured | must | stretch | reached |',
    '|---|---|---|---|---|',
    ...targets.map(targetRow),
    ...(audits.length === 0 ? [] : ['', `Audits of the sales: ${[...new Set(audits)].map((word) => `${audits.filter((one) => one === word).length} ${word}`).join(', ')}.`]),
  ];
}

function row({ name, cpuUsPerOperation, cpuUsByProcess, perSecond, p50Ms, p99Ms, memoryMiB }: SubjectReport): string {
  const parts = Object.entries(cpuUsByProcess).filter(([, us]) => us >= 0.05).map(([process, us]) => `${process} ${figure(us)}`).join(', ');
  const memory = Object.entries(memoryMiB).map(([process, mebibytes]) => `${process} ${Math.round(mebibytes)}`).join(', ');
  return `| ${[name, shown(cpuUsPerOperation), parts, shown(perSecond), p50Ms ? shown(p50Ms) : '', p99Ms ? shown(p99Ms) : '', memory].join(' | ')} |`;
}

const targetRow = ({ name, value, sense, must, stretch, verdict }: TargetReport): string => {
  const sign = sense === 'at-least' ? '≥' : '≤';
  return `| ${name} | ${shown(value)} | ${sign} ${must} | ${sign} ${stretch} | ${words[verdict]} |`;
};

/** Three figures are all that such measurements are good for. */
export const figure = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3));
const shown = ({ median, least, most }: Spread): string => `${figure(median)} (${figure(least)}–${figure(most)})`;
