import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { ClosingOrder } from './order.closer.js';

export interface TakenOrder extends ClosingOrder {
  /** Tries, this one included. */
  attempts: number;
}

/** Orders on their way out, as the sweeper finds them. Reads take no locks; claims last as long as their lease. */
@Injectable()
export class ClosingStore {
  constructor(private readonly database: Database) {}

  /** Orders whose time to pay is over by the database's clock, oldest first. */
  async due(limit: number): Promise<{ saleId: string; rid: string }[]> {
    return this.database.query<{ saleId: string; rid: string }>({
      name: 'closing-due',
      text: `SELECT sale_id AS "saleId", rid FROM orders WHERE state = 'PENDING' AND pay_by <= clock_timestamp() ORDER BY pay_by LIMIT $1`,
      values: [limit],
    });
  }

  /** Orders in CLOSING whose turn has come, each taken for `leaseSeconds`: two sweepers at once share the work. */
  async take(limit: number, leaseSeconds: number): Promise<TakenOrder[]> {
    return this.database.query<TakenOrder>({
      name: 'closing-take',
      text: `UPDATE orders o SET close_attempts = o.close_attempts + 1, next_attempt_at = clock_timestamp() + make_interval(secs => $2) FROM (
          SELECT sale_id, rid FROM orders WHERE state = 'CLOSING' AND next_attempt_at <= clock_timestamp()
          ORDER BY updated_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ) AS turn WHERE o.sale_id = turn.sale_id AND o.rid = turn.rid AND o.state = 'CLOSING'
        RETURNING o.sale_id AS "saleId", o.rid, o.reason, o.close_attempts AS attempts`,
      values: [limit, leaseSeconds],
    });
  }

  /** The next try, `delaySeconds` from now, and why there has to be one. */
  async putOff(order: ClosingOrder, delaySeconds: number, problem: string): Promise<void> {
    await this.database.query({
      name: 'closing-put-off',
      text: `UPDATE orders SET next_attempt_at = clock_timestamp() + make_interval(secs => $3), close_error = $4 WHERE sale_id = $1 AND rid = $2 AND state = 'CLOSING'`,
      values: [order.saleId, order.rid, delaySeconds, problem],
    });
  }

  /** Orders in CLOSING, and since when the oldest is. */
  async waiting(): Promise<{ count: number; oldestSeconds: number }> {
    const rows = await this.database.query<{ count: number; oldestSeconds: number }>({
      name: 'closing-waiting',
      text: `SELECT count(*)::int AS count, coalesce(extract(epoch FROM clock_timestamp() - min(closing_since)), 0)::float8 AS "oldestSeconds"
        FROM orders WHERE state = 'CLOSING'`,
      values: [],
    });
    return rows[0] ?? { count: 0, oldestSeconds: 0 };
  }
}
