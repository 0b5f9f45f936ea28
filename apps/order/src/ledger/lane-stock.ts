import type { Transaction } from '@floodgate/platform';
import { counters, effectOf, type Counter, type LedgerEntry } from './entries.js';

/** One item of one lane: its counters, and what it is sold as. `price` in minor units. */
export interface LaneItem extends Record<Counter, number> {
  lane: number;
  itemId: string;
  skuId: string;
  price: number;
  perAccount: number | null;
}

/** Counters that this transaction has locked: what it reads of them is true until it ends. */
export class LaneStock {
  private readonly items = new Map<string, LaneItem>();
  private readonly changed = new Map<LaneItem, number>();

  constructor(readonly saleId: string, items: readonly LaneItem[]) {
    for (const item of items) this.items.set(keyOf(item.lane, item.itemId), item);
  }

  find(lane: number, itemId: string): LaneItem | undefined {
    return this.items.get(keyOf(lane, itemId));
  }

  /** Throws an ordinary error for an item that the lane does not have: such a message can never be processed. */
  get(lane: number, itemId: string): LaneItem {
    const item = this.find(lane, itemId);
    if (!item) throw new Error(`sale ${this.saleId} has no item ${itemId} in lane ${lane}`);
    return item;
  }

  /** Moves the counters in memory and returns the item's free units afterwards; `takeChanges` says what to write. */
  apply(entry: LedgerEntry): number {
    const item = this.get(entry.lane, entry.itemId);
    for (const [counter, sign] of Object.entries(effectOf(entry)) as [Counter, number][]) item[counter] += sign * entry.quantity;
    this.changed.set(item, (this.changed.get(item) ?? 0) + 1);
    return freeUnits(item);
  }

  /** The items that moved, each with the number of entries that moved it. */
  takeChanges(): (LaneItem & { entries: number })[] {
    const items = [...this.changed].map(([item, entries]) => ({ ...item, entries }));
    this.changed.clear();
    return items;
  }
}

export const freeUnits = (item: Record<Counter, number>): number => item.allotment - item.held - item.sold - item.burned;

/**
 * Takes the first locks of the one order: the lanes (advisory, so that each lane has one judge at a time), then their items by id.
 * Inventory rows by SKU and order rows come after these, everywhere; that is why there are no deadlocks between them.
 */
export async function lockStock(tx: Transaction, saleId: string, wanted: ReadonlyMap<number, Iterable<string>>): Promise<LaneStock> {
  const lanes = [...wanted.keys()].sort((a, b) => a - b);
  for (const lane of lanes) {
    await tx.query({ name: 'lock-lane', text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, $2))', values: [saleId, lane] });
  }
  const pairs = lanes.flatMap((lane) => [...new Set(wanted.get(lane))].map((itemId) => ({ lane, itemId })));
  // A statement of its own after the locks: its snapshot sees whatever the last holder committed.
  const items = await tx.query<LaneItem>({
    name: 'lock-lane-items',
    text: `SELECT s.lane, s.item_id AS "itemId", s.allotment, s.held, s.sold, s.burned, i.sku_id AS "skuId", i.price::float8 AS price, i.per_account AS "perAccount"
      FROM lane_item s JOIN sale_item i USING (sale_id, item_id)
      WHERE s.sale_id = $1 AND (s.lane, s.item_id) IN (SELECT * FROM unnest($2::int[], $3::text[]))
      ORDER BY s.lane, s.item_id FOR UPDATE OF s`,
    values: [saleId, pairs.map((pair) => pair.lane), pairs.map((pair) => pair.itemId)],
  });
  return new LaneStock(saleId, items);
}

const keyOf = (lane: number, itemId: string): string => `${lane}/${itemId}`;

export { counters };
