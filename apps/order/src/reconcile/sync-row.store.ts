import type { SyncRow } from '@floodgate/contracts';
import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { syncRow } from '../order/order.announcer.js';
import { orderColumns, type OrderRow } from '../order/order.row.js';
import { takeBackRow, type TakenInRedis } from '../stock-change/stock-change.store.js';

interface TakenBack extends TakenInRedis {
  rid: string;
  itemId: string;
  quantity: number;
}

/** A lane's rows as Redis must have them, page by page, for a rebuild. */
@Injectable()
export class SyncRowStore {
  constructor(private readonly database: Database) {}

  /**
   * Orders by id, and what operators took back, by id among them. `next` is the `after` of the next page, null after the last. Rows that change meanwhile come again as live syncs, of a newer version.
   */
  async page(saleId: string, lane: number, after: string | null, limit: number): Promise<{ rows: SyncRow[]; next: string | null }> {
    const orders = await this.database.query<OrderRow>({
      name: 'sync-rows',
      text: `SELECT ${orderColumns} FROM orders o WHERE o.sale_id = $1 AND o.lane = $2 AND o.rid > $3 ORDER BY o.rid LIMIT $4`,
      values: [saleId, lane, after ?? '', limit],
    });
    const takeBacks = await this.database.query<TakenBack>(
      `SELECT rid, item_id AS "itemId", -delta AS quantity, number::float8 AS number, (extract(epoch FROM reserved_at) * 1000)::float8 AS "reservedAtMs" FROM stock_change
       WHERE sale_id = $1 AND lane = $2 AND rid > $3 AND state IN ('BOOKED', 'REJECTED') AND reserved_at IS NOT NULL ORDER BY rid LIMIT $4`, [saleId, lane, after ?? '', limit]);
    const rows = [...orders.map(syncRow), ...takeBacks.map((taken) => takeBackRow(taken.rid, taken.itemId, taken.quantity, taken))]
      .sort((a, b) => (a.rid < b.rid ? -1 : 1)).slice(0, limit);
    return { rows, next: rows.length < limit ? null : rows.at(-1)!.rid };
  }
}
