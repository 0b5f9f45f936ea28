import type { Report } from './report.js';
import type { SiegeReport } from './siege-report.js';

const meaning = {
  clean: 'every unit has a named fate, and all four records agree',
  broken: 'the records do not agree; see the findings',
  unknown: 'something could not be read or had not ended; this is not a clean run',
} as const;

/** The report for people, line by line. */
export function reportLines(report: Report): string[] {
  const { units, orders, details } = report;
  const number = (value: number): string => value.toLocaleString('en-GB');
  const bySize = (counts: Record<string, number>): string => Object.entries(counts).toSorted((a, b) => b[1] - a[1]).map(([word, n]) => `${word} ${number(n)}`).join(', ') || 'none';
  const released = Object.entries(details.released).map(([reason, { reservations, units: back }]) => `${reason} ${number(reservations)} (${number(back)} units)`).join(', ') || 'none';
  const rows: [string, string][] = [
    ['sale', `${report.sale} (${report.scenario}, seed ${report.seed})`],
    ['attempts', `${number(report.attempts)} requests for ${number(details.keys)} keys in ${report.seconds} s, at most ${number(details.peakPerSecond.due)} due and ${number(details.peakPerSecond.sent)} sent in one second`],
    ['accepted', number(report.accepted)],
    ['refused', bySize(report.refused)],
    ['unknown', `${number(report.unknown.seen)} seen, ${number(report.unknown.resolved)} resolved`],
    ['latency', `p50 ${report.latencyMs.p50} ms, p99 ${report.latencyMs.p99} ms, from the moment a request was due to its lasting answer`],
    ['orders', `${number(orders.paid)} paid, ${number(orders.released)} released, ${number(orders.open)} open`],
    ['released', released],
    ['units', `${number(units.quota)} offered = ${number(units.sold)} sold + ${number(units.available)} available${details.held + details.burned > 0 ? ` + ${number(details.held)} held + ${number(details.burned)} burned` : ''}`],
    ['payments', details.payments ? `${number(details.payments.captured)} captured, ${number(details.payments.refunded)} refunded` : 'could not be read'],
    ['Redis', details.redisEqualsPostgres === null ? 'could not be compared' : details.redisEqualsPostgres ? 'equals Postgres' : 'DOES NOT equal Postgres'],
    ['faults', `${report.oversold} oversold, ${report.lost} lost, ${report.duplicated} duplicated, ${report.unexplained} unexplained`],
  ];
  if (details.siege) rows.push(...siegeRows(details.siege));
  return [
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(9)} ${value}`),
    ...details.findings.slice(0, 20).map((finding) => `  ! ${finding}`),
    ...(details.findings.length > 20 ? [`  ! and ${details.findings.length - 20} more, in the report file`] : []),
    '',
    `  verdict   ${report.verdict.toUpperCase()}: ${meaning[report.verdict]}`,
    '',
  ];
}

function siegeRows({ sales, p99, timesTraffic, answers }: SiegeReport): [string, string][] {
  const number = (value: number): string => value.toLocaleString('en-GB');
  const bySize = (counts: Record<string, number>): string => Object.entries(counts).toSorted((a, b) => b[1] - a[1]).map(([word, n]) => `${word} ${number(n)}`).join(', ') || 'nothing sent';
  return [
    ...sales.map((one): [string, string] => [one.besieged ? 'besieged' : 'quiet', `p50 ${one.p50} ms, p99 ${one.p99} ms; ${number(one.buyersRequests)} requests of buyers${one.besieged ? `, ${number(one.botsRequests)} of bots (${one.times} times); those who did the work hoarded ${one.hoarded}, ${one.ofNetwork} of them in one /64` : ''}; ${one.verdict}`]),
    ['siege', `p99 ${p99.besieged} ms besieged, ${p99.quiet} ms quiet (medians): ${p99.times} times, ${p99.timesMax} allowed; bots sent at least ${timesTraffic.least} times the buyers' traffic, ${timesTraffic.wanted} wanted`],
    ...Object.entries(answers).map(([kind, counts]): [string, string] => ['bots', `${kind}: ${bySize(counts)}`]),
  ];
}
