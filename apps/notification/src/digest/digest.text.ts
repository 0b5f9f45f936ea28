import type { ReportView } from '@floodgate/contracts';
import { price } from '../tell-buyer/sentences.js';
import type { TeamNews } from '../team/team-message.store.js';

/** Why a digest is told. */
export type Occasion = 'opening' | 'figures' | 'sold-out' | 'end';

/** What is known of a sale without asking anybody. */
export interface DigestSale {
  saleId: string;
  title: string;
  state: string;
  opensAtMs: number;
  closesAtMs: number;
  units: number;
  items: number;
}

/** Figures of a sale; `remaining` null: nobody could say. */
export interface Figures {
  report: ReportView;
  remaining: number | null;
}

const heads = { 'opening': 'OPEN', 'figures': 'on sale', 'sold-out': 'SOLD OUT', 'end': 'ENDED' } as const satisfies Record<Occasion, string>;
const iso = (ms: number): string => new Date(ms).toISOString();

/** @param key what makes it this digest and no other of the sale; @param figures null at the opening, when there are none yet */
export function digestOf(sale: DigestSale, occasion: Occasion, key: string, figures: Figures | null, link: string | null): TeamNews {
  return {
    occasion: `digest:${sale.saleId}:${key}`,
    title: `${sale.state === 'WITHDRAWN' ? 'WITHDRAWN' : heads[occasion]}: ${sale.title}`,
    lines: figures === null
      ? [`${sale.units} units of ${sale.items} ${sale.items === 1 ? 'item' : 'items'}, until ${iso(sale.closesAtMs)}`, ...(sale.state === 'PAUSED' ? ['it is paused'] : [])]
      : figureLines(sale, figures),
    link,
  };
}

function figureLines(sale: DigestSale, { report: { funnel, amount, soldOutAt, percentiles }, remaining }: Figures): string[] {
  const count = (name: string): number => funnel[name] ?? 0;
  const reasons = Object.entries(funnel).filter(([name, value]) => name.includes('-') && value > 0).map(([name, value]) => `${name} ${value}`);
  const latency = percentiles['reservation to order p99 ms'];
  return [
    `reserved ${count('reserved')}, ordered ${count('ordered')}, paid ${count('paid')}, waiting ${count('open')}, released ${count('released')}${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}`,
    `${price(amount)} paid; ${remaining === null ? 'remaining units unknown' : `${remaining} of ${sale.units} units remain`}`,
    ...(soldOutAt === null ? [] : [`sold out ${((Date.parse(soldOutAt) - sale.opensAtMs) / 1_000).toFixed(1)} s after the opening`]),
    ...(latency === undefined ? [] : [`from reservation to order ${latency} ms (p99)`]),
  ];
}
