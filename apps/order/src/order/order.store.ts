import type { ReleaseReason } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { orderColumns, type OrderRow } from './order.row.js';

/** Reads orders, and moves them where no unit changes hands; what moves units is in place-order/purchase.saga.ts. */
@Injectable()
export class OrderStore {
  constructor(private readonly database: Database) {}

  /** The order, whatever its state, or null. `accountId` given: only if it is that account's. */
  async find(rid: string, accountId?: string): Promise<OrderRow | null> {
    const rows = await this.database.query<OrderRow>(
      { name: 'order-find', text: `SELECT ${orderColumns} FROM orders o WHERE o.sale_id = split_part($1, '.', 1) AND o.rid = $1`, values: [rid] });
    const row = rows[0];
    return row && (accountId === undefined || row.accountId === accountId) ? row : null;
  }

  /** The order, its row locked until the transaction ends. Takes no other lock: not for what moves units. */
  async lock(tx: Transaction, rid: string): Promise<OrderRow | null> {
    const rows = await tx.query<OrderRow>(
      { name: 'order-lock', text: `SELECT ${orderColumns} FROM orders o WHERE o.sale_id = split_part($1, '.', 1) AND o.rid = $1 FOR UPDATE`, values: [rid] });
    return rows[0] ?? null;
  }

  /**
   * PENDING → CLOSING with the reason it will be closed for: nobody may start a payment any more, the units are still held.
   * Returns those that made the step; others are left as they are.
   */
  async startClosing(tx: Transaction, saleId: string, rids: readonly string[], reason: ReleaseReason): Promise<OrderRow[]> {
    return this.move(tx, { saleId, rids, from: 'PENDING', to: 'CLOSING', reason });
  }

  /** PAID → REFUNDING: the units stay sold until the money is back (then PurchaseSaga.closeOrders). Returns those that made the step. */
  async startRefunding(tx: Transaction, saleId: string, rids: readonly string[], reason: ReleaseReason): Promise<OrderRow[]> {
    return this.move(tx, { saleId, rids, from: 'PAID', to: 'REFUNDING', reason });
  }

  private async move(tx: Transaction, step: { saleId: string; rids: readonly string[]; from: string; to: string; reason: ReleaseReason }): Promise<OrderRow[]> {
    return tx.query<OrderRow>(
      `WITH locked AS (SELECT sale_id, rid FROM orders WHERE sale_id = $1 AND rid = ANY($2) AND state = $3 ORDER BY rid FOR UPDATE)
       UPDATE orders o SET state = $4, reason = $5, version = version + 1, updated_at = clock_ms(), closing_since = clock_ms(), next_attempt_at = clock_ms()
       FROM locked WHERE o.sale_id = locked.sale_id AND o.rid = locked.rid AND o.state = $3 RETURNING ${orderColumns}`,
      [step.saleId, step.rids, step.from, step.to, step.reason]);
  }
}
