import type { PublicSale } from './tail.commands.js';

/** One look at a sale. Counts are of reservations, `remaining` and `quota` of units. */
export interface Sample {
  readonly at: string;
  readonly saleId: string;
  readonly state: string;
  readonly remaining: number;
  readonly quota: number;
  readonly soldOutItems: number;
  readonly items: number;
  readonly reserved: number;
  readonly ordered: number;
  readonly open: number;
  readonly paid: number;
  readonly released: number;
}

const stages = ['reserved', 'ordered', 'open', 'paid', 'released'] as const;
const barMax = 40;

/** @param funnel of the sale's report; empty before there is one */
export function sampleOf(sale: PublicSale, funnel: Readonly<Record<string, number>>, at: string): Sample {
  const sum = (of: (item: PublicSale['items'][number]) => number): number => sale.items.reduce((total, item) => total + of(item), 0);
  const count = (name: string): number => funnel[name] ?? 0;
  return {
    at, saleId: sale.id, state: sale.state, remaining: sum((item) => item.remaining), quota: sum((item) => item.quota), soldOutItems: sum((item) => Number(item.soldOut)), items: sale.items.length,
    reserved: count('reserved'), ordered: count('ordered'), open: count('open'), paid: count('paid'), released: count('released'),
  };
}

/** Whether nothing more will come of it. */
export const isOver = ({ state, open }: Sample): boolean => (state === 'ENDED' || state === 'WITHDRAWN') && open === 0;

/** For a log: everything in one line, with what has changed since the sample before. */
export function sampleLine(sample: Sample, before: Sample | null): string {
  const counts = stages.map((stage) => `${stage} ${sample[stage]}${difference(sample[stage], before?.[stage])}`);
  return [`${sample.at} ${sample.state}`, leftOf(sample), ...counts].join('  ');
}

/** For a terminal of this width: the funnel as bars, each as long as its share of what was reserved. */
export function sampleFrame(sample: Sample, before: Sample | null, columns: number): string[] {
  const most = Math.max(1, sample.reserved);
  const lines = stages.map((stage) => {
    const bar = '█'.repeat(Math.round((sample[stage] / most) * barMax));
    return `${stage.padEnd(9)}${String(sample[stage]).padStart(9)} ${bar}${difference(sample[stage], before?.[stage])}`;
  });
  return [`${sample.saleId} ${sample.state} at ${sample.at}`, leftOf(sample), ...lines].map((line) => line.slice(0, Math.max(1, columns - 1)));
}

const leftOf = ({ remaining, quota, soldOutItems, items }: Sample): string => `remaining ${remaining} of ${quota} (sold out: ${soldOutItems} of ${items} items)`;

function difference(now: number, before: number | undefined): string {
  const change = now - (before ?? now);
  return change === 0 ? '' : ` (${change > 0 ? '+' : ''}${change})`;
}
