import type { BotKind } from './bot-requests.js';
import type { BotCounts } from './bot-sender.js';
import { faultKinds } from './evidence.js';
import type { Report } from './report.js';
import type { SiegeRules } from './scenario-file.js';

/** One of the sales. */
export interface Held {
  report: Report;
  /** Null in a quiet one. */
  bots: (BotCounts & { hoarded: number }) | null;
  /** Requests of the buyers to the gateway, and how long they took to come. */
  requests: number;
  ms: number;
  /** Units paid for by the hoarders of one /64, and how many are allowed. */
  ofNetwork: number;
  perIp: number | null;
}

/** What a report says of a siege. */
export interface SiegeReport {
  sales: { sale: string; besieged: boolean; verdict: Report['verdict']; p50: number; p99: number; buyersRequests: number; botsRequests: number; times: number; hoarded: number; ofNetwork: number }[];
  /** Medians of the sales' p99. */
  p99: { quiet: number; besieged: number; times: number; timesMax: number };
  timesTraffic: { wanted: number; least: number };
  /** Answers to the bots, by what they tried and the word they got. */
  answers: Partial<Record<BotKind, Record<string, number>>>;
}

/** One report of all the sales: sums, the worst verdict, and what the bots did and did not achieve. */
export function joinSales(name: string, held: readonly Held[], rules: SiegeRules, startedAtMs: number): Report {
  const [first] = held;
  if (!first) throw new Error('stopped');
  const reports = held.map((one) => one.report);
  const siege = siegeOf(held, rules);
  const broken = held.flatMap(faultsOf).concat(slow(siege));
  const doubts = [...weak(siege), ...(held.length < 2 * rules.rounds ? ['unknown: not every sale was held'] : [])];
  const worst = broken.length > 0 || reports.some((one) => one.verdict === 'broken') ? 'broken' : doubts.length > 0 || reports.some((one) => one.verdict === 'unknown') ? 'unknown' : 'clean';
  const findings = [...broken, ...doubts, ...reports.flatMap((one) => one.details.findings.map((finding) => `sale ${one.sale}: ${finding}`))].slice(0, 200);
  const sum = (of: (report: Report) => number): number => reports.reduce((all, one) => all + of(one), 0);
  return {
    ...first.report, verdict: worst, scenario: name, sale: reports.map((one) => one.sale).join(' '),
    attempts: sum((one) => one.attempts), accepted: sum((one) => one.accepted), refused: add(reports.map((one) => one.refused)),
    unknown: { seen: sum((one) => one.unknown.seen), resolved: sum((one) => one.unknown.resolved) },
    orders: { paid: sum((one) => one.orders.paid), released: sum((one) => one.orders.released), open: sum((one) => one.orders.open) },
    units: { quota: sum((one) => one.units.quota), sold: sum((one) => one.units.sold), available: sum((one) => one.units.available) },
    ...Object.fromEntries(faultKinds.map((kind) => [kind, sum((one) => one[kind])])),
    latencyMs: { p50: median(besiegedOf(siege).map((one) => one.p50)), p99: siege.p99.besieged },
    seconds: Math.round((Date.now() - startedAtMs) / 100) / 10,
    details: {
      keys: sum((one) => one.details.keys), answers: add(reports.map((one) => one.details.answers)), released: addReleased(reports),
      held: sum((one) => one.details.held), burned: sum((one) => one.details.burned), missing: sum((one) => one.details.missing),
      redisEqualsPostgres: reports.some((one) => one.details.redisEqualsPostgres === false) ? false : reports.some((one) => one.details.redisEqualsPostgres === null) ? null : true,
      payments: reports.every((one) => one.details.payments) ? { captured: sum((one) => one.details.payments!.captured), refunded: sum((one) => one.details.payments!.refunded) } : null,
      peakPerSecond: { due: Math.max(...reports.map((one) => one.details.peakPerSecond.due)), sent: Math.max(...reports.map((one) => one.details.peakPerSecond.sent)) },
      siege, findings,
    },
  };
}

function siegeOf(held: readonly Held[], rules: SiegeRules): SiegeReport {
  const sales = held.map(({ report, bots, requests, ofNetwork }) => ({
    sale: report.sale, besieged: bots !== null, verdict: report.verdict, ...report.latencyMs, buyersRequests: requests, botsRequests: bots?.sent ?? 0,
    times: round((bots?.sent ?? 0) / Math.max(1, requests)), hoarded: bots?.hoarded ?? 0, ofNetwork,
  }));
  const p99Of = (besieged: boolean): number => median(sales.filter((one) => one.besieged === besieged).map((one) => one.p99));
  const [quiet, besieged] = [p99Of(false), p99Of(true)];
  const answers: SiegeReport['answers'] = {};
  for (const { bots } of held) for (const [kind, counts] of Object.entries(bots?.answers ?? {})) answers[kind as BotKind] = add([answers[kind as BotKind] ?? {}, counts]);
  return {
    sales, answers, p99: { quiet, besieged, times: round(besieged / Math.max(0.1, quiet)), timesMax: rules.p99TimesMax },
    timesTraffic: { wanted: rules.timesTraffic, least: Math.min(...sales.filter((one) => one.besieged).map((one) => one.times)) },
  };
}

/** What the bots must not have. That no account has more than its limit is a rule of every sale's records, the hoarders' among them. */
function faultsOf({ report, bots, ofNetwork, perIp }: Held): string[] {
  const gains = bots?.gains ?? [];
  return [
    ...gains.slice(0, 5).map((gain) => `bots: sale ${report.sale}, ${gain}`),
    ...(gains.length > 5 ? [`bots: sale ${report.sale}, and ${gains.length - 5} more`] : []),
    ...(perIp !== null && ofNetwork > perIp ? [`bots: sale ${report.sale}, one /64 has ${ofNetwork} units, the limit is ${perIp}`] : []),
  ];
}

const slow = ({ p99 }: SiegeReport): string[] =>
  p99.times > p99.timesMax ? [`slow: the buyers' p99 is ${p99.besieged} ms under siege and ${p99.quiet} ms without, ${p99.times} times as long; ${p99.timesMax} are allowed`] : [];

/** A siege that was none shows nothing. */
const weak = ({ timesTraffic: { wanted, least }, sales }: SiegeReport): string[] => [
  ...(least < wanted ? [`unknown: this machine sent only ${least} times the buyers' traffic; ${wanted} times were wanted`] : []),
  ...(sales.some((one) => one.besieged && one.hoarded === 0) ? ['unknown: no hoarder won anything, so nothing was tried against the limits'] : []),
];

const besiegedOf = ({ sales }: SiegeReport): SiegeReport['sales'] => sales.filter((one) => one.besieged);
const round = (value: number): number => Math.round(value * 10) / 10;

/** Of an even number, the mean of the two in the middle; 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return round(sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2);
}

function add(counts: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const one of counts) for (const [word, count] of Object.entries(one)) sums[word] = (sums[word] ?? 0) + count;
  return sums;
}

function addReleased(reports: readonly Report[]): Report['details']['released'] {
  const sums: Report['details']['released'] = {};
  for (const [reason, { reservations, units }] of reports.flatMap((one) => Object.entries(one.details.released))) {
    const entry = (sums[reason] ??= { reservations: 0, units: 0 });
    entry.reservations += reservations;
    entry.units += units;
  }
  return sums;
}
