import { describe, expect, it } from '@jest/globals';
import type { AuditView, ReportView, SaleView } from '@floodgate/contracts';
import { bars, lines } from './charts.js';
import { reportPage } from './report-page.js';

const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 11) + seconds * 1_000).toISOString();
const sale = { id: 's1', title: 'Kettles <b>& more</b>', state: 'ENDED', opensAt: at(0), closesAt: at(60), items: [{ id: 's1-1', title: 'Kettle "one"' }, { id: 's1-2', title: 'Lamp' }] } as SaleView;
const report: ReportView = {
  saleId: 's1', funnel: { reserved: 9, ordered: 8, paid: 5, open: 0, released: 4, 'payment-timeout': 3, 'order-rejected': 1 }, soldOutAt: null, amount: { amount: 1_250, currency: 'GBP' },
  percentiles: { 'reservation to order p50 ms': 12 }, items: [{ itemId: 's1-1', soldOutAt: at(3.5) }, { itemId: 's1-2', soldOutAt: null }], startedAt: at(1),
  perSecond: [{ second: 0, reserved: 6, ordered: 2, paid: 0, released: 0 }, { second: 3, reserved: 3, ordered: 6, paid: 5, released: 4 }],
};
const item = (itemId: string, sold: number) => ({ itemId, quota: 10, available: 7 - sold, held: 2, sold, burned: 1, redisAvailable: 7 - sold });
const audit: AuditView = {
  verdict: 'clean', saleId: 's1', asOf: at(90), settling: 0, oversold: 0, lost: 0, duplicated: 0, unexplained: 0, redisEqualsPostgres: true,
  items: [item('s1-1', 4), item('s1-2', 1)], payments: { captured: 6, refunded: 1 }, findings: [],
};

/** Every figure that the page names. */
const figuresOf = (page: string): Record<string, string> => Object.fromEntries([...page.matchAll(/data-figure="([^"]+)">([^<]*)</g)].map((match) => [match[1]!, match[2]!]));

describe('the page of a report', () => {
  const page = reportPage({ sale, report, audit });

  it('has the figures of the audit and the report', () => {
    expect(figuresOf(page)).toMatchObject({
      verdict: 'clean', sold: '5', available: '9', paid: '5', amount: '12.50 GBP', captured: '6', refunded: '1', oversold: '0', lost: '0', duplicated: '0', unexplained: '0', settling: '0',
      's1-1.sold': '4', 's1-1.available': '3', 's1-2.sold': '1', 's1-2.burned': '1', 'all.quota': '20', 'all.held': '4', 'all.sold': '5',
    });
  });

  it('shows other figures when there are others', () => {
    const other = reportPage({ sale, report, audit: { ...audit, verdict: 'broken', oversold: 2, findings: ['2 units <beyond> the quota'] } });
    expect(figuresOf(other)).toMatchObject({ verdict: 'broken', oversold: '2' });
    expect(other).toContain('2 units &lt;beyond&gt; the quota');
  });

  it('runs nothing, loads nothing, and writes what others wrote as text', () => {
    expect(page).toContain('Kettles &lt;b&gt;&amp; more&lt;/b&gt;');
    expect(page).toContain('Kettle &quot;one&quot;');
    expect(page).not.toMatch(/<script|<b>& more|(?:src|href)=/);
  });

  it('says when an item was sold out, counted from the first reservation', () => {
    expect(page).toMatch(/Kettle &quot;one&quot;<\/span><span[^>]*>2\.5 s</);
    expect(figuresOf(page)).toMatchObject({ soldOutItems: '1', items: '2' });
    expect(page).not.toMatch(/Lamp<\/span>/);
  });

  it('says why people were refused where somebody has counted, the most frequent reason first', () => {
    expect(page).not.toContain('Refused, by reason');
    const told = reportPage({ sale, report, audit, told: { sale: 's1', accepted: 9, refused: { LIMIT_REACHED: 2, SOLD_OUT: 30 } } });
    expect(figuresOf(told)).toMatchObject({ attempts: '41', accepted: '9', refused: '32' });
    expect(told).toMatch(/SOLD_OUT<\/span><span class="value">30<[^]*LIMIT_REACHED<\/span><span class="value">2</);
  });

  it('unfolds what is too much for a glance, first the items that went first', () => {
    const many = Array.from({ length: 30 }, (_, number) => ({ itemId: `s1-${number + 1}`, soldOutAt: at(40 - number) }));
    const long = reportPage({ sale, report: { ...report, items: many }, audit: { ...audit, items: many.map(({ itemId }, number) => item(itemId, number)) } });
    const shown = long.slice(long.indexOf('<h2>Sold out'), long.indexOf('<h2>How long'));
    expect([...shown.matchAll(/class="value">([\d.]+) s/g)].map((match) => Number(match[1]))).toEqual(many.map((_, number) => 10 + number));
    expect(shown).toContain('The 18 after them');
    expect([...long.matchAll(/data-figure="(s1-\d+)\.sold"/g)].map((match) => match[1])).toEqual(many.map(({ itemId }) => itemId).reverse());
  });

  it('is made of a sale in which nothing has happened, too', () => {
    const empty = reportPage({ sale, report: { ...report, funnel: { reserved: 0 }, percentiles: {}, items: [], startedAt: null, perSecond: [] }, audit });
    expect(empty).toContain('Nobody has reserved anything.');
    expect(empty).not.toMatch(/NaN|undefined|Infinity/);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('a plot', () => {
  it('has bars as long as their share of the longest', () => {
    expect([...bars('t', [{ label: 'a', value: 4 }, { label: 'b', value: 1 }, { label: 'c', value: 0 }]).matchAll(/class="a" style="width:([\d.]+)%"/g)].map((match) => match[1])).toEqual(['100', '25', '0']);
  });

  it('has a line with a point for every second, those without a row at zero', () => {
    const [, points = ''] = /points="([^"]+)"/.exec(lines('t', [{ name: 'n', kind: 'a', points: [[0, 2], [3, 4]] }], 3))!;
    expect(points.split(' ').map((point) => Number(point.split(',')[1]))).toEqual([100, 200, 200, 0]);
  });
});
