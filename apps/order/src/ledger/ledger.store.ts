import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { LedgerEntry } from './entries.js';
import type { LaneStock } from './lane-stock.js';
import { numbers, texts } from './sql-array.js';

/** The append-only record of what happened to every unit, and the counters that follow from it. */
@Injectable()
export class LedgerStore {
  /**
   * Records the entries and moves the counters by exactly them, on stock that this transaction has locked.
   * Throws where an entry stands already (it happened before) and where the counters would pass the allotment: then nothing is written.
   * @param at the database's clock, epoch milliseconds
   */
  async record(tx: Transaction, stock: LaneStock, entries: readonly LedgerEntry[], at: number): Promise<void> {
    if (entries.length === 0) return;
    const freeAfter = entries.map((entry) => stock.apply(entry));
    await tx.query({
      name: 'ledger-insert',
      text: `INSERT INTO ledger (sale_id, lane, operation_id, item_id, entry, quantity, free_after, at)
        SELECT $1, l.lane, l.operation_id, l.item_id, l.entry, l.quantity, l.free_after, $2
        FROM unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[]) AS l (lane, operation_id, item_id, entry, quantity, free_after)`,
      values: [
        stock.saleId, new Date(at), numbers(entries.map((e) => e.lane)), texts(entries.map((e) => e.operationId)), texts(entries.map((e) => e.itemId)),
        texts(entries.map((e) => e.entry)), numbers(entries.map((e) => e.quantity)), numbers(freeAfter),
      ],
    });
    const changed = stock.takeChanges();
    await tx.query({
      name: 'lane-item-update',
      text: `UPDATE lane_item s SET allotment = c.allotment, allotment_version = s.allotment_version + (c.allotment <> s.allotment)::int, held = c.held, sold = c.sold, burned = c.burned,
          entries = s.entries + c.entries
        FROM unnest($2::int[], $3::text[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[]) AS c (lane, item_id, allotment, held, sold, burned, entries)
        WHERE s.sale_id = $1 AND s.lane = c.lane AND s.item_id = c.item_id`,
      values: [
        stock.saleId, changed.map((c) => c.lane), changed.map((c) => c.itemId), changed.map((c) => c.allotment),
        changed.map((c) => c.held), changed.map((c) => c.sold), changed.map((c) => c.burned), changed.map((c) => c.entries),
      ],
    });
  }
}
