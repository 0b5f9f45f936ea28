import type { AuditView, ReportView, SaleView } from '@floodgate/contracts';
import { money } from '../output/money.js';
import { bars, escapeHtml, lines } from './charts.js';

/** What a report is made of: the answers of the gateway, as they are. */
export interface ReportParts {
  readonly sale: SaleView;
  readonly report: ReportView;
  readonly audit: AuditView;
}

const stages = ['reserved', 'ordered', 'paid', 'open', 'released'] as const;
const curves = [['reserved', 'a'], ['ordered', 'b'], ['paid', 'c'], ['released', 'd']] as const;
/** A page of 5,000 items helps nobody; the audit has them all. */
const itemsMax = 200;
const notStages = new Set<string>(stages);

/** One file for a browser, with everything in it: no script, no font, nothing from elsewhere. */
export function reportPage({ sale, report, audit }: ReportParts): string {
  const count = (name: string): number => report.funnel[name] ?? 0;
  const reasons = Object.entries(report.funnel).filter(([name]) => !notStages.has(name)).toSorted(([, a], [, b]) => b - a);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escapeHtml(sale.title)}</title><style>${style}</style></head><body>
<header><h1>${escapeHtml(sale.title)}</h1><p>${escapeHtml(sale.id)} · ${escapeHtml(sale.state)} · ${escapeHtml(sale.opensAt)} to ${escapeHtml(sale.closesAt)}</p></header>
<section class="tiles"><div class="tile verdict ${audit.verdict}"><b data-figure="verdict">${audit.verdict}</b><span>audit</span></div>
${tile('sold', sum(audit, 'sold'), 'units sold')}${tile('available', sum(audit, 'available'), 'units left')}${tile('paid', count('paid'), 'orders paid')}<div class="tile"><b data-figure="amount">${escapeHtml(money(report.amount))}</b><span>taken</span></div></section>
${card('Funnel', `<p>Reservations, from the first yes to the money.</p>${bars('Funnel', stages.map((name) => ({ label: name, value: count(name), kind: name === 'released' ? 'd' : 'a' })))}`)}
${card('Per second', perSecond(report))}
${card('Sold out', soldOut(sale, report))}
${card('How long it took', `<p>Of the orders that were made.</p>${bars('Latencies', Object.entries(report.percentiles).map(([name, ms]) => ({ label: name.replace(/ ms$/, ''), value: ms, shown: `${ms} ms`, kind: 'b' })))}`)}
${card('Released, by reason', bars('Released by reason', reasons.map(([label, value]) => ({ label, value, kind: 'd' }))))}
${card('Audit', auditTable(sale, audit))}
<footer>As of ${escapeHtml(audit.asOf)}. Attempts that were turned away at the gate leave no record; the gateway counts them by reason in its metrics.</footer></body></html>
`;
}

function perSecond({ startedAt, perSecond: rows }: ReportView): string {
  if (startedAt === null) return '<p>Nobody has reserved anything.</p>';
  const last = Math.max(1, ...rows.map(({ second }) => second));
  const drawn = lines('What happened in each second', curves.map(([name, kind]) => ({ name, kind, points: rows.map((row) => [row.second, row[name]] as const) })), last);
  return `<p>From ${escapeHtml(startedAt)}, at most ten minutes.</p>${drawn}`;
}

function soldOut(sale: SaleView, report: ReportView): string {
  const begun = Math.min(Date.parse(report.startedAt ?? sale.opensAt), ...report.items.flatMap(({ soldOutAt }) => (soldOutAt === null ? [] : [Date.parse(soldOutAt)])));
  const rows = report.items.slice(0, itemsMax).map(({ itemId, soldOutAt }) => {
    const seconds = soldOutAt === null ? 0 : (Date.parse(soldOutAt) - begun) / 1_000;
    return { label: titleOf(sale, itemId), value: seconds, shown: soldOutAt === null ? 'never' : `${seconds.toFixed(1)} s`, kind: 'c' };
  });
  return `<p>When an item had no free unit for the first time, counted from the first reservation.</p>${bars('Time to sell-out by item', rows)}`;
}

function auditTable(sale: SaleView, audit: AuditView): string {
  const heads = ['quota', 'available', 'held', 'sold', 'burned'] as const;
  const row = (name: string, cells: readonly number[], figure: string): string =>
    `<tr><th>${escapeHtml(name)}</th>${cells.map((cell, index) => `<td data-figure="${escapeHtml(figure)}.${heads[index]!}">${cell}</td>`).join('')}</tr>`;
  const items = audit.items.slice(0, itemsMax).map((item) => row(titleOf(sale, item.itemId), heads.map((head) => item[head]), item.itemId));
  const checks = (['oversold', 'lost', 'duplicated', 'unexplained', 'settling'] as const).map((name) => `<li>${name} <b data-figure="${name}">${audit[name]}</b></li>`);
  return `<div class="scroll"><table><tr><th>item</th>${heads.map((head) => `<th>${head}</th>`).join('')}</tr>${items.join('')}${row('all', heads.map((head) => sum(audit, head)), 'all')}</table></div>
<ul>${checks.join('')}<li>payments captured <b data-figure="captured">${audit.payments.captured}</b>, refunded <b data-figure="refunded">${audit.payments.refunded}</b></li><li>Redis ${audit.redisEqualsPostgres ? 'equals' : 'differs from'} Postgres</li></ul>
${audit.findings?.length ? `<ul class="findings">${audit.findings.map((finding) => `<li>${escapeHtml(finding)}</li>`).join('')}</ul>` : ''}`;
}

const sum = (audit: AuditView, name: 'quota' | 'available' | 'held' | 'sold' | 'burned'): number => audit.items.reduce((total, item) => total + item[name], 0);
const titleOf = (sale: SaleView, itemId: string): string => sale.items.find(({ id }) => id === itemId)?.title ?? itemId;
const tile = (figure: string, value: number, label: string): string => `<div class="tile"><b data-figure="${figure}">${value}</b><span>${label}</span></div>`;
const card = (title: string, content: string): string => `<section class="card"><h2>${title}</h2>${content}</section>`;

const style = `:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--card:#f6f8fa;--rule:#d0d7de;--a:#2f6fde;--b:#7a4fd0;--c:#1a8a5a;--d:#c2572b}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--paper:#0d1117;--card:#161b22;--rule:#30363d;--a:#6ea0ff;--b:#b39bf5;--c:#4cc38a;--d:#f0885c}}
*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:0 auto;padding:1.5rem 1rem}
h1{margin:0;font-size:1.7rem;overflow-wrap:anywhere}h2{margin:0 0 .4rem;font-size:1.1rem}header p,.card p,footer{color:var(--soft);margin:.2rem 0 .8rem;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.8rem;margin:1rem 0}.tile,.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:1rem}
.tile b{display:block;font-size:1.4rem;line-height:1.2;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}.tile span{color:var(--soft)}.verdict.clean b{color:var(--c)}.verdict.broken b,.findings{color:var(--d)}.card{margin:0 0 1rem}
svg{display:block;width:100%;height:auto;overflow:visible}text{font:14px system-ui,sans-serif;fill:var(--ink)}.axis{font-size:12px;fill:var(--soft)}.value{font-variant-numeric:tabular-nums}
.track{fill:var(--rule);opacity:.5}rect.a{fill:var(--a)}rect.b{fill:var(--b)}rect.c{fill:var(--c)}rect.d{fill:var(--d)}.grid{stroke:var(--rule)}.line{fill:none;stroke-width:2}
.line.a{stroke:var(--a)}.line.b{stroke:var(--b)}.line.c{stroke:var(--c)}.line.d{stroke:var(--d)}.key{margin-right:1rem}.key i{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;margin-right:.35rem}
i.a{background:var(--a)}i.b{background:var(--b)}i.c{background:var(--c)}i.d{background:var(--d)}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
td,th{padding:.3rem .6rem;border-top:1px solid var(--rule);text-align:right}th:first-child{text-align:left}ul{padding-left:1.2rem}
@media (max-width:32rem){.tile b{font-size:1.15rem}text{font-size:24px}.axis{font-size:22px}}`;
