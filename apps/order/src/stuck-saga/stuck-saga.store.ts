import type { ReleaseReason, View } from '@floodgate/contracts';
import { Database, isoTime } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { packCursor, unpackCursor } from '../order/cursor.js';

export const stuckKinds = ['closing', 'refunding', 'reacquiring', 'parked'] as const satisfies readonly View.StuckSagaView['kind'][];
export type StuckKind = (typeof stuckKinds)[number];

interface Row {
  kind: StuckKind;
  rid: string;
  saleId: string;
  paymentId: string | null;
  orderState: string;
  reason: ReleaseReason | null;
  attempts: number;
  nextAttemptAt: Date | null;
  lastError: string | null;
  since: Date;
}

/** Every order that waits for the world between two steps: one row per payment that is to be given back or to buy its units again, else one per order. */
const stuckSql = `
  SELECT 'closing' AS kind, o.rid, o.sale_id, NULL AS payment_id, o.state, o.reason, o.close_attempts AS attempts, o.next_attempt_at,
      o.close_error AS last_error, coalesce(o.closing_since, o.updated_at) AS since
    FROM orders o WHERE o.state = 'CLOSING'
  UNION ALL SELECT 'parked', o.rid, o.sale_id, NULL, o.state, NULL, coalesce(d.attempts, 0), d.close_at, d.last_error, o.updated_at
    FROM orders o LEFT JOIN LATERAL (
      SELECT attempts, close_at, last_error FROM dead_letter WHERE state = 'waiting' AND o.rid = ANY(reservation_ids) ORDER BY seq DESC LIMIT 1
    ) AS d ON true WHERE o.state = 'STUCK'
  UNION ALL SELECT 'refunding', o.rid, o.sale_id, NULL, o.state, o.reason, 0, NULL, NULL, coalesce(o.closing_since, o.updated_at)
    FROM orders o WHERE o.state = 'REFUNDING' AND NOT EXISTS (SELECT FROM refund r WHERE r.sale_id = o.sale_id AND r.rid = o.rid AND r.state = 'WAITING')
  UNION ALL SELECT 'refunding', o.rid, o.sale_id, r.payment_id, o.state, o.reason, r.attempts, r.next_attempt_at, r.last_error, r.created_at
    FROM refund r JOIN orders o USING (sale_id, rid) WHERE r.state = 'WAITING'
  UNION ALL SELECT 'reacquiring', o.rid, o.sale_id, r.payment_id, o.state, o.reason, r.attempts, r.next_attempt_at, r.last_error, r.created_at
    FROM reacquisition r JOIN orders o USING (sale_id, rid) WHERE r.state = 'WAITING'`;

/** Sagas that are on their way back and not there yet, whatever keeps them. */
@Injectable()
export class StuckSagaStore {
  constructor(private readonly database: Database) {}

  /** Oldest first; null where the cursor is not one of ours. */
  async page(limit: number, cursor: string | null): Promise<View.Page<View.StuckSagaView> | null> {
    const after = cursor === null ? [0, '', ''] : unpackCursor(cursor, 3);
    if (!after || typeof after[0] !== 'number') return null;
    const rows = await this.database.query<Row>(
      `SELECT kind, rid, sale_id AS "saleId", payment_id AS "paymentId", state AS "orderState", reason, attempts, next_attempt_at AS "nextAttemptAt",
         last_error AS "lastError", date_trunc('milliseconds', since) AS since
       FROM (${stuckSql}) AS stuck
       WHERE (date_trunc('milliseconds', since), rid, coalesce(payment_id, '')) > (to_timestamp($1::float8 / 1000), $2, $3)
       ORDER BY date_trunc('milliseconds', since), rid, coalesce(payment_id, '') LIMIT $4`, [after[0], String(after[1]), String(after[2]), limit + 1]);
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { items: rows.slice(0, limit).map(viewOf), nextCursor: last ? packCursor([last.since.getTime(), last.rid, last.paymentId ?? '']) : null };
  }

  /** How many of each kind there are, and the age of the oldest in seconds; kinds without any are left out. */
  async tally(): Promise<{ kind: StuckKind; count: number; oldestSeconds: number }[]> {
    return this.database.query(
      `SELECT kind, count(*)::int AS count, greatest(0, extract(epoch FROM clock_timestamp() - min(since)))::float8 AS "oldestSeconds"
       FROM (${stuckSql}) AS stuck GROUP BY kind`);
  }
}

const viewOf = ({ rid, nextAttemptAt, since, ...row }: Row): View.StuckSagaView => ({
  ...row, orderId: rid, nextAttemptAt: nextAttemptAt && isoTime(nextAttemptAt.getTime()), since: isoTime(since.getTime()),
});
