import type { Fault } from '../openapi/fault-messages.js';

interface Priced { price?: { currency?: unknown } | null; listPrice?: { currency?: unknown } | null }

/** A sale has one currency: every price must name the one that the first item names. */
export function oneCurrency(body: { items?: unknown } | null): Fault[] {
  if (!Array.isArray(body?.items)) return [];
  const items = body.items as (Priced | null)[];
  const currency = items.find((item) => typeof item?.price?.currency === 'string')?.price?.currency;
  return items.flatMap((item, index) => (['price', 'listPrice'] as const)
    .filter((field) => typeof item?.[field]?.currency === 'string' && item[field].currency !== currency)
    .map((field) => ({ path: `/items/${index}/${field}/currency`, message: `must be ${String(currency)}, the sale's currency` })));
}
