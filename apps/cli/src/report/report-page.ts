import type { AuditView, ReportView, SaleView } from '@floodgate/contracts';
import { money } from '../output/money.js';
import { bars, escapeHtml, lines, type Bar, type Line } from './charts.js';
import { style } from './report-style.js';
import type { Told } from './told.js';

/** What a report is made of: the answers of the gateway, as they are. */
export interface ReportParts {
  readonly sale: SaleView;
  readonly report: ReportView;
  readonly audit: AuditView;
  /** What buyers were told, where whoever sent the attempts has kept it. */
  readonly told?: Told | null;
}

const stages = ['reserved', 'ordered', 'paid', 'open', 'released'] as const;
const curves = [['reserved', 'a'], ['ordered', 'b'], ['paid', 'c'], ['released', 'd']] as const;
/** A page of 5,000 items helps nobody; the audit has them all. */
const itemsMax = 200;
/** So many bars are taken in at a glance; the others unfold. */
const barsMax = 12;
const notStages = new Set<string>(stages);

/** One file for a browser, with everything in it: no script, no font, nothing from elsewhere. */
export function reportPage({ sale, report, audit, told = null }: ReportParts): string {
  const count = (name: string): number => report.funnel[name] ?? 0;
  const reasons = Object.entries(report.funnel).filter(([name]) => !notStages.has(name)).toSorted(([, a], [, b]) => b - a);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escapeHtml(sale.title)}</title><style>${style}</style></head><body>
<header><h1>${escapeHtml(sale.title)}</h1><p>${escapeHtml(sale.id)} · ${escapeHtml(sale.state)} · ${clock(sale.opensAt)} to ${clock(sale.closesAt)} UTC</p></header>
<section class="tiles"><div class="tile verdict ${audit.verdict}"><b data-figure="verdict">${audit.verdict}</b><span>audit</span></div>
${tile('sold', sum(audit, 'sold'), 'units sold')}${tile('available', sum(audit, 'available'), 'units left')}${tile('paid', count('paid'), 'orders paid')}<div class="tile"><b data-figure="amount">${escapeHtml(money(report.amount))}</b><span>taken</span></div></section>
${card('Funnel', `<p>Reservations, from the first yes to the money.</p>${bars('Funnel', stages.map((name) => ({ label: name, value: count(name), kind: name === 'released' ? 'd' : 'a' })))}`)}
${told === null ? '' : card('Refused, by reason', refused(told))}
${card('Per second', perSecond(report))}
${card('Sold out', soldOut(sale, report))}
${card('How long it took', `<p>Of the orders that were made.</p>${bars('Latencies', Object.entries(report.percentiles).map(([name, ms]) => ({ label: name.replace(/ ms$/, ''), value: ms, shown: ms < 10_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`, kind: 'b' })))}`)}
${card('Released, by reason', bars('Released by reason', reasons.map(([label, value]) => ({ label, value, kind: 'd' }))))}
${card('Audit', auditTable(sale, audit))}
<footer>As of ${clock(audit.asOf)} UTC. Attempts that were turned away leave no record; ${told === null ? 'the gateway counts them by reason in its metrics' : 'what is said of them here was counted by who sent them'}.</footer></body></html>
`;
}

function refused({ accepted, refused: codes }: Told): string {
  const rows = Object.entries(codes).toSorted(([, a], [, b]) => b - a);
  const all = rows.reduce((total, [, count]) => total + count, 0);
  const figure = (name: string, value: number): string => `<b data-figure="${escapeHtml(name)}">${value}</b>`;
  return `<p>Of ${figure('attempts', accepted + all)} who asked, ${figure('accepted', accepted)} were accepted and ${figure('refused', all)} refused, counted by idempotency key.</p>${bars('Refused by reason', rows.map(([label, value]) => ({ label, value, kind: 'd' })))}`;
}

function perSecond({ startedAt, perSecond: rows }: ReportView): string {
  if (startedAt === null) return '<p>Nobody has reserved anything.</p>';
  const last = Math.max(1, ...rows.map(({ second }) => second));
  const drawn = lines('What happened in each second', curves.map(([name, kind]) => ({ name, kind, points: rows.map((row) => [row.second, row[name]] as const) })), last);
  return `<p>Reservations; from ${clock(startedAt)} UTC, at most ten minutes.</p>${drawn}`;
}

function soldOut(sale: SaleView, report: ReportView): string {
  const begun = Math.min(Date.parse(report.startedAt ?? sale.opensAt), ...report.items.flatMap(({ soldOutAt }) => (soldOutAt === null ? [] : [Date.parse(soldOutAt)])));
  const gone = report.items.flatMap(({ itemId, soldOutAt }) => (soldOutAt === null ? [] : [{ label: titleOf(sale, itemId), value: (Date.parse(soldOutAt) - begun) / 1_000 }])).toSorted((one, other) => one.value - other.value);
  const row = ({ label, value }: Bar): Bar => ({ label, value, shown: `${value.toFixed(1)} s`, kind: 'c' });
  const says = `<p><b data-figure="soldOutItems">${gone.length}</b> of <b data-figure="items">${report.items.length}</b> items had no free unit at some time; when for the first time, counted from the first reservation.</p>`;
  if (gone.length === 0) return says;
  const last = Math.ceil(gone.at(-1)!.value);
  const curve: Line = { name: 'items sold out so far', kind: 'c', points: Array.from({ length: last + 1 }, (_, second) => [second, gone.filter(({ value }) => value <= second).length] as const) };
  const few = gone.length <= barsMax;
  const rest = few ? '' : `<details><summary>The ${Math.min(gone.length, itemsMax) - barsMax} after them</summary>${bars('Time to sell-out by item, the later ones', gone.slice(barsMax, itemsMax).map(row))}</details>`;
  return `${says}${few ? '' : lines('Items sold out so far', [curve], last)}${bars('Time to sell-out by item, the first ones', gone.slice(0, barsMax).map(row))}${rest}`;
}

function auditTable(sale: SaleView, audit: AuditView): string {
  const heads = ['quota', 'available', 'held', 'sold', 'burned'] as const;
  const row = (name: string, cells: readonly number[], figure: string): string =>
    `<tr><th>${escapeHtml(name)}</th>${cells.map((cell, index) => `<td data-figure="${escapeHtml(figure)}.${heads[index]!}">${cell}</td>`).join('')}</tr>`;
  const items = audit.items.toSorted((one, other) => other.sold - one.sold).slice(0, itemsMax).map((item) => row(titleOf(sale, item.itemId), heads.map((head) => item[head]), item.itemId));
  const head = `<tr><th>item</th>${heads.map((name) => `<th>${name}</th>`).join('')}</tr>`;
  const table = (rows: readonly string[]): string => `<div class="scroll"><table>${head}${rows.join('')}</table></div>`;
  const all = row(`all ${audit.items.length}`, heads.map((name) => sum(audit, name)), 'all');
  const rest = items.length > barsMax ? `<details><summary>${items.length === audit.items.length ? 'The others' : `The ${items.length - barsMax} after them`}</summary>${table(items.slice(barsMax))}</details>` : '';
  const checks = (['oversold', 'lost', 'duplicated', 'unexplained', 'settling'] as const).map((name) => `<li>${name} <b data-figure="${name}">${audit[name]}</b></li>`);
  return `<ul class="checks">${checks.join('')}<li>payments captured <b data-figure="captured">${audit.payments.captured}</b>, refunded <b data-figure="refunded">${audit.payments.refunded}</b></li><li>Redis <b>${audit.redisEqualsPostgres ? 'equals' : 'differs from'}</b> Postgres</li></ul>
${audit.findings?.length ? `<ul class="findings">${audit.findings.map((finding) => `<li>${escapeHtml(finding)}</li>`).join('')}</ul>` : ''}<p>Units by fate, those items first of which most were sold.</p>${table([all, ...items.slice(0, barsMax)])}${rest}`;
}

const sum = (audit: AuditView, name: 'quota' | 'available' | 'held' | 'sold' | 'burned'): number => audit.items.reduce((total, item) => total + item[name], 0);
const titleOf = (sale: SaleView, itemId: string): string => sale.items.find(({ id }) => id === itemId)?.title ?? itemId;
/** A time for people: the second is enough. */
const clock = (iso: string): string => escapeHtml(iso.replace(/^([\d-]+)T([\d:]+).*$/, '$1 $2'));
const tile = (figure: string, value: number, label: string): string => `<div class="tile"><b data-figure="${figure}">${value}</b><span>${label}</span></div>`;
const card = (title: string, content: string): string => `<section class="card"><h2>${title}</h2>${content}</section>`;
