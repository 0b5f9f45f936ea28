import type { Allotment, SyncRow } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { syncRow } from '../order/order.announcer.js';
import { orderColumns, type OrderRow } from '../order/order.row.js';
import { takeBackRow, type TakenInRedis } from '../stock-change/stock-change.store.js';

interface TakenBack extends TakenInRedis {
  rid: string;
  lane: number;
  itemId: string;
  quantity: number;
}

/** A row and the lane that it belongs to. */
export type LaneRow = SyncRow & { lane: number };
export type LaneAllotment = Allotment & { lane: number };

const takenBackColumns = `rid, lane, item_id AS "itemId", -delta AS quantity, number::float8 AS number, (extract(epoch FROM reserved_at) * 1000)::float8 AS "reservedAtMs"`;
const decidedTakeBacks = `stock_change WHERE sale_id = $1 AND state IN ('BOOKED', 'REJECTED') AND reserved_at IS NOT NULL`;
const rowOfTakeBack = (taken: TakenBack): SyncRow => takeBackRow(taken.rid, taken.itemId, taken.quantity, taken);

/** Rows as Redis must have them: a whole lane page by page, for a rebuild, or those of single reservations. */
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
      `SELECT ${takenBackColumns} FROM ${decidedTakeBacks} AND lane = $2 AND rid > $3 ORDER BY rid LIMIT $4`, [saleId, lane, after ?? '', limit]);
    const rows = [...orders.map(syncRow), ...takeBacks.map(rowOfTakeBack)].sort((a, b) => (a.rid < b.rid ? -1 : 1)).slice(0, limit);
    return { rows, next: rows.length < limit ? null : rows.at(-1)!.rid };
  }

  /** Those of these reservations that Postgres has decided. */
  async ofReservations(from: Database | Transaction, saleId: string, rids: readonly string[]): Promise<LaneRow[]> {
    const orders = await from.query<OrderRow>(`SELECT ${orderColumns} FROM orders o WHERE o.sale_id = $1 AND o.rid = ANY($2)`, [saleId, rids]);
    const takeBacks = await from.query<TakenBack>(`SELECT ${takenBackColumns} FROM ${decidedTakeBacks} AND rid = ANY($2)`, [saleId, rids]);
    return [...orders.map((order) => ({ ...syncRow(order), lane: order.lane })), ...takeBacks.map((taken) => ({ ...rowOfTakeBack(taken), lane: taken.lane }))];
  }

  /** What each lane has of each item in all. Version 0: never changed since the lane was made. */
  allotments(from: Database | Transaction, saleId: string): Promise<LaneAllotment[]> {
    return from.query<LaneAllotment>('SELECT lane, item_id AS "itemId", allotment_version AS version, allotment FROM lane_item WHERE sale_id = $1 ORDER BY lane, item_id', [saleId]);
  }
}
