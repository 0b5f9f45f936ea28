import type { ReleaseReason } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { texts } from '../ledger/sql-array.js';

export interface DueRefund {
  paymentId: string;
  provider: string;
  attempts: number;
}

/** Money that is to be given back: one row per payment, whatever the number of reasons and callbacks. */
@Injectable()
export class RefundStore {
  constructor(private readonly database: Database) {}

  /** Asks for a refund of each whole payment, unless that was asked for before. Answers the ids of those asked for now. */
  async request(tx: Transaction, paymentIds: readonly string[], reason: string): Promise<Set<string>> {
    if (paymentIds.length === 0) return new Set();
    const rows = await tx.query<{ paymentId: string }>({
      name: 'refund-insert',
      text: `INSERT INTO refund (payment_id, sale_id, rid, amount, currency, reason, state)
        SELECT payment_id, sale_id, rid, amount, currency, $2, 'WAITING' FROM payment WHERE payment_id = ANY($1) ON CONFLICT DO NOTHING RETURNING payment_id AS "paymentId"`,
      values: [texts(paymentIds), reason],
    });
    return new Set(rows.map((row) => row.paymentId));
  }

  /** Orders in REFUNDING that stand for a payment get its refund asked for. Whoever moves an order to REFUNDING need not know of refunds. */
  async requestForRefundingOrders(): Promise<number> {
    const rows = await this.database.query({
      name: 'refund-insert-refunding',
      text: `INSERT INTO refund (payment_id, sale_id, rid, amount, currency, reason, state)
        SELECT p.payment_id, p.sale_id, p.rid, p.amount, p.currency, o.reason, 'WAITING' FROM orders o JOIN payment p USING (sale_id, rid)
        WHERE o.state = 'REFUNDING' AND p.pays AND p.state = 'CAPTURED' AND NOT EXISTS (SELECT FROM refund r WHERE r.payment_id = p.payment_id)
        LIMIT 500 ON CONFLICT DO NOTHING RETURNING payment_id`,
      values: [],
    });
    return rows.length;
  }

  /** Orders in REFUNDING whose money is back already, because the provider gave it back before anybody here asked for that. */
  async ordersPaidBack(limit: number): Promise<{ saleId: string; rid: string; reason: ReleaseReason }[]> {
    return this.database.query<{ saleId: string; rid: string; reason: ReleaseReason }>({
      name: 'refund-orders-paid-back',
      text: `SELECT o.sale_id AS "saleId", o.rid, o.reason FROM orders o JOIN payment p USING (sale_id, rid)
        WHERE o.state = 'REFUNDING' AND p.pays AND p.state = 'REFUNDED' ORDER BY o.updated_at LIMIT $1`,
      values: [limit],
    });
  }

  /** Refunds whose turn has come, each taken for `leaseSeconds`, in which nobody else tries it. */
  async takeDue(limit: number, leaseSeconds: number): Promise<DueRefund[]> {
    return this.database.query<DueRefund>({
      name: 'refund-take-due',
      text: `UPDATE refund r SET attempts = r.attempts + 1, next_attempt_at = clock_timestamp() + make_interval(secs => $2), updated_at = clock_timestamp() FROM (
          SELECT payment_id FROM refund WHERE state = 'WAITING' AND next_attempt_at <= clock_timestamp() ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ) AS due JOIN payment p USING (payment_id) WHERE r.payment_id = due.payment_id RETURNING r.payment_id AS "paymentId", p.provider, r.attempts`,
      values: [limit, leaseSeconds],
    });
  }

  async putOff(paymentId: string, delaySeconds: number, error: string): Promise<void> {
    await this.database.query({
      name: 'refund-put-off',
      text: `UPDATE refund SET next_attempt_at = clock_timestamp() + make_interval(secs => $2), last_error = $3, updated_at = clock_timestamp()
        WHERE payment_id = $1 AND state = 'WAITING'`,
      values: [paymentId, delaySeconds, error],
    });
  }

  async done(tx: Transaction, paymentIds: readonly string[]): Promise<void> {
    if (paymentIds.length === 0) return;
    await tx.query({
      name: 'refund-done',
      text: `UPDATE refund SET state = 'DONE', updated_at = clock_timestamp() WHERE payment_id = ANY($1) AND state = 'WAITING'`, values: [texts(paymentIds)],
    });
  }

  /** Refunds that wait, and the age of the oldest in seconds. */
  async waiting(): Promise<{ count: number; oldestSeconds: number }> {
    const rows = await this.database.query<{ count: number; oldestSeconds: number }>({
      name: 'refund-waiting',
      text: `SELECT count(*)::int AS count, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS "oldestSeconds" FROM refund WHERE state = 'WAITING'`,
      values: [],
    });
    return rows[0] ?? { count: 0, oldestSeconds: 0 };
  }
}
