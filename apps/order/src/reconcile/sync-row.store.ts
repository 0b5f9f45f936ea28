import type { SyncRow } from '@floodgate/contracts';
import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { syncRow } from '../order/order.announcer.js';
import { orderColumns, type OrderRow } from '../order/order.row.js';

/** A lane's rows as Redis must have them, page by page, for a rebuild. */
@Injectable()
export class SyncRowStore {
  constructor(private readonly database: Database) {}

  /** By id; `next` is the `after` of the next page, null after the last. Rows that change meanwhile come again as live syncs, of a newer version. */
  async page(saleId: string, lane: number, after: string | null, limit: number): Promise<{ rows: SyncRow[]; next: string | null }> {
    const orders = await this.database.query<OrderRow>({
      name: 'sync-rows',
      text: `SELECT ${orderColumns} FROM orders o WHERE o.sale_id = $1 AND o.lane = $2 AND o.rid > $3 ORDER BY o.rid LIMIT $4`,
      values: [saleId, lane, after ?? '', limit],
    });
    return { rows: orders.map(syncRow), next: orders.length < limit ? null : orders.at(-1)!.rid };
  }
}
