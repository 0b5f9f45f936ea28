/** What each ledger entry does to the counters of its lane's item, per unit. The counters are always the sum of the entries. */
export const entries = {
  /** An order holds units. */
  HOLD: { held: 1 },
  /** Held units are paid. The HOLD stays: SELL follows it. */
  SELL: { held: -1, sold: 1 },
  /** Units come back: of an order that held them, or (`soldBefore`) of one that had been paid and was refunded. */
  RELEASE: { held: -1 },
  /** Units are written off instead of coming back. */
  BURN: { held: -1, burned: 1 },
  STOCK_IN: { allotment: 1 },
  STOCK_OUT: { allotment: -1 },
} as const satisfies Record<string, Partial<Record<Counter, 1 | -1>>>;

export type Entry = keyof typeof entries;
export const counters = ['allotment', 'held', 'sold', 'burned'] as const;
export type Counter = (typeof counters)[number];

/** One entry to record. `operationId` is the reservation's id, or that of an operator's act. */
export interface LedgerEntry {
  lane: number;
  operationId: string;
  itemId: string;
  entry: Entry;
  quantity: number;
  /** RELEASE and BURN: the units had been sold. */
  soldBefore?: boolean;
}

/** How the counters move by one unit of this entry. */
export function effectOf(entry: Pick<LedgerEntry, 'entry' | 'soldBefore'>): Partial<Record<Counter, number>> {
  const effect: Partial<Record<Counter, number>> = entries[entry.entry];
  if (!entry.soldBefore) return effect;
  const { held, ...rest } = effect;
  return { ...rest, sold: held };
}
