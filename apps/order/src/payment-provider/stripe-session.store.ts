import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { OurIds } from './stripe.events.js';

/** Which checkout session at Stripe stands for which payment: Stripe finds its objects by its own ids only. */
@Injectable()
export class StripeSessionStore {
  constructor(private readonly database: Database) {}

  /** Notes that a session is about to be created, and answers the one that is known already, if any. */
  async begin({ paymentId, orderId }: OurIds): Promise<string | null> {
    const [row] = await this.database.query<{ sessionId: string | null }>({
      name: 'stripe-session-begin',
      text: `INSERT INTO stripe_session AS s (payment_id, order_id) VALUES ($1, $2) ON CONFLICT (payment_id) DO UPDATE SET order_id = s.order_id RETURNING session_id AS "sessionId"`,
      values: [paymentId, orderId],
    });
    return row?.sessionId ?? null;
  }

  async note(paymentId: string, sessionId: string): Promise<void> {
    await this.database.query({ name: 'stripe-session-note', text: 'UPDATE stripe_session SET session_id = $2 WHERE payment_id = $1', values: [paymentId, sessionId] });
  }

  /** Null: there is none, or nobody knows (a crash between the creation and `note`); creating it again tells. */
  async find(paymentId: string): Promise<string | null> {
    const [row] = await this.database.query<{ sessionId: string | null }>({
      name: 'stripe-session-find', text: 'SELECT session_id AS "sessionId" FROM stripe_session WHERE payment_id = $1', values: [paymentId],
    });
    return row?.sessionId ?? null;
  }

  /** From when until when sessions were begun for orders whose id starts with the prefix, in epoch milliseconds. */
  async span(orderPrefix: string): Promise<{ fromMs: number; untilMs: number } | null> {
    const [row] = await this.database.query<{ fromMs: number | null; untilMs: number | null }>({
      name: 'stripe-session-span',
      text: `SELECT (extract(epoch FROM min(begun_at)) * 1000)::float8 AS "fromMs", (extract(epoch FROM max(begun_at)) * 1000)::float8 AS "untilMs"
        FROM stripe_session WHERE order_id >= $1 AND order_id < $1 || U&'\\+10FFFF'`,
      values: [orderPrefix],
    });
    return row && row.fromMs !== null && row.untilMs !== null ? { fromMs: row.fromMs, untilMs: row.untilMs } : null;
  }
}
