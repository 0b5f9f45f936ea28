import { reacquiredId, type ItemQuantity } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { texts } from '../ledger/sql-array.js';

/** Late money and the order that it shall buy; what that order is made of stands in the old one. */
export interface Reacquisition {
  paymentId: string;
  saleId: string;
  /** The order that was closed. */
  rid: string;
  newRid: string;
  lane: number;
  accountId: string;
  ipHash: string;
  number: number;
  items: ItemQuantity[];
  reservedAt: Date;
  /** Is the money still there? */
  captured: boolean;
  attempts: number;
  /** How long the money has been waiting. */
  ageSeconds: number;
}

const columns = `r.payment_id AS "paymentId", r.sale_id AS "saleId", r.rid, r.new_rid AS "newRid", o.lane, o.account_id AS "accountId", o.ip_hash AS "ipHash",
  o.number::float8 AS number, o.items, o.reserved_at AS "reservedAt", p.state = 'CAPTURED' AS captured, r.attempts, extract(epoch FROM clock_timestamp() - r.created_at)::float8 AS "ageSeconds"`;

/** Decisions to buy late money its units again, each a row until it came to an end. */
@Injectable()
export class ReacquisitionStore {
  constructor(private readonly database: Database) {}

  /** Writes the decision down, in the transaction that counts the money. Once per payment. */
  async decide(tx: Transaction, saleId: string, payments: readonly { paymentId: string; rid: string }[]): Promise<void> {
    if (payments.length === 0) return;
    const rows = await tx.query<{ rid: string; accountId: string; secret: string }>(
      `SELECT o.rid, o.account_id AS "accountId", s.rid_secret AS secret FROM orders o JOIN sale s USING (sale_id) WHERE o.sale_id = $1 AND o.rid = ANY($2)`,
      [saleId, texts(payments.map((payment) => payment.rid))]);
    const newRids = new Map(rows.map(({ rid, accountId, secret }) => [rid, reacquiredId(saleId, secret, accountId, rid)]));
    await tx.query(
      `INSERT INTO reacquisition (payment_id, sale_id, rid, new_rid, state)
       SELECT n.payment_id, $1, n.rid, n.new_rid, 'WAITING' FROM unnest($2::text[], $3::text[], $4::text[]) AS n (payment_id, rid, new_rid) ON CONFLICT DO NOTHING`,
      [saleId, texts(payments.map((payment) => payment.paymentId)), texts(payments.map((payment) => payment.rid)), texts(payments.map((payment) => newRids.get(payment.rid)!))]);
  }

  /** Those whose turn has come, each taken for `leaseSeconds`, in which nobody else works on it. */
  async takeDue(limit: number, leaseSeconds: number): Promise<Reacquisition[]> {
    return this.database.query<Reacquisition>({
      name: 'reacquisition-take-due',
      text: `UPDATE reacquisition r SET attempts = r.attempts + 1, next_attempt_at = clock_timestamp() + make_interval(secs => $2), updated_at = clock_timestamp() FROM (
          SELECT payment_id FROM reacquisition WHERE state = 'WAITING' AND next_attempt_at <= clock_timestamp() ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ) AS due JOIN payment p USING (payment_id) JOIN orders o ON o.sale_id = p.sale_id AND o.rid = p.rid
        WHERE r.payment_id = due.payment_id RETURNING ${columns}`,
      values: [limit, leaseSeconds],
    });
  }

  async putOff(paymentId: string, delaySeconds: number, error: string | null): Promise<void> {
    await this.database.query({
      name: 'reacquisition-put-off',
      text: `UPDATE reacquisition SET next_attempt_at = clock_timestamp() + make_interval(secs => $2), last_error = coalesce($3, last_error), updated_at = clock_timestamp()
        WHERE payment_id = $1 AND state = 'WAITING'`,
      values: [paymentId, delaySeconds, error],
    });
  }

  /** Its row stays locked until the transaction ends. */
  async isWaiting(tx: Transaction, paymentId: string): Promise<boolean> {
    return (await tx.query(`SELECT FROM reacquisition WHERE payment_id = $1 AND state = 'WAITING' FOR UPDATE`, [paymentId])).length > 0;
  }

  /** Ends the wait, once; false: somebody else has ended it. `reason`: why the money goes back, or null where it bought the order. */
  async finish(tx: Transaction, paymentId: string, reason: string | null): Promise<boolean> {
    const rows = await tx.query(
      `UPDATE reacquisition SET state = CASE WHEN $2::text IS NULL THEN 'REACQUIRED' ELSE 'REFUNDED' END, reason = $2, updated_at = clock_timestamp()
       WHERE payment_id = $1 AND state = 'WAITING' RETURNING payment_id`, [paymentId, reason]);
    return rows.length > 0;
  }

  /** Late payments that wait, and the age of the oldest in seconds. */
  async waiting(): Promise<{ count: number; oldestSeconds: number }> {
    const rows = await this.database.query<{ count: number; oldestSeconds: number }>({
      name: 'reacquisition-waiting',
      text: `SELECT count(*)::int AS count, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS "oldestSeconds"
        FROM reacquisition WHERE state = 'WAITING'`,
      values: [],
    });
    return rows[0] ?? { count: 0, oldestSeconds: 0 };
  }
}
