import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { texts } from '../ledger/sql-array.js';
import type { PaymentState } from './payment-race.js';

/** A payment to ask its provider about. */
export interface Unanswered {
  paymentId: string;
  state: PaymentState;
}

/** A buyer may take minutes on the provider's page: asked for now and then, ever more seldom, not watched. */
const askFirstSeconds = 30;
const askMaxSeconds = 600;
/** The provider did not answer: its next chance, which is no try of the payment's. */
const putBackSeconds = 10;

/** What the poller has to ask. Each payment is taken for a while, so that two pollers do not ask for the same one. */
@Injectable()
export class UnansweredStore {
  constructor(private readonly database: Database) {}

  /** Open payments of a provider whose notice is overdue, the longest waiting first. */
  async takeOpen(provider: string, limit: number): Promise<Unanswered[]> {
    return this.database.query<Unanswered>({
      name: 'unanswered-take-open',
      text: `UPDATE payment p SET asks = p.asks + 1, next_ask_at = clock_timestamp() + make_interval(secs => least(${askMaxSeconds}, ${askFirstSeconds} * 2 ^ least(p.asks, 10))) FROM (
          SELECT payment_id FROM payment WHERE provider = $1 AND state = 'OPEN' AND next_ask_at <= clock_timestamp() ORDER BY next_ask_at LIMIT $2 FOR UPDATE SKIP LOCKED
        ) AS due WHERE p.payment_id = due.payment_id RETURNING p.payment_id AS "paymentId", p.state`,
      values: [provider, limit],
    });
  }

  /**
   * Payments that ended here without money. A provider may take it all the same and its notice be lost, so they are asked about three
   * times more: soon, after ten minutes and after an hour. What comes later still is found by the comparison of the day.
   */
  async takeEnded(provider: string, limit: number): Promise<Unanswered[]> {
    return this.database.query<Unanswered>({
      name: 'unanswered-take-ended',
      text: `UPDATE payment p SET next_ask_at = CASE WHEN p.updated_at > clock_timestamp() - interval '5 minutes' THEN clock_timestamp() + interval '10 minutes'
            WHEN p.updated_at > clock_timestamp() - interval '30 minutes' THEN clock_timestamp() + interval '1 hour' ELSE 'infinity' END FROM (
          SELECT payment_id FROM payment WHERE provider = $1 AND state IN ('DECLINED', 'EXPIRED', 'CLOSED') AND next_ask_at <= clock_timestamp()
          ORDER BY next_ask_at LIMIT $2 FOR UPDATE SKIP LOCKED
        ) AS due WHERE p.payment_id = due.payment_id RETURNING p.payment_id AS "paymentId", p.state`,
      values: [provider, limit],
    });
  }

  /** These were asked about in vain: again soon, as if they had not been taken. */
  async putBack(paymentIds: readonly string[]): Promise<void> {
    if (paymentIds.length === 0) return;
    await this.database.query({
      name: 'unanswered-put-back',
      text: `UPDATE payment SET asks = greatest(asks - 1, 0), next_ask_at = clock_timestamp() + make_interval(secs => ${putBackSeconds}) WHERE payment_id = ANY($1)`,
      values: [texts(paymentIds)],
    });
  }

  /** Open payments whose turn to be asked about has come, by provider. */
  async waiting(): Promise<Map<string, number>> {
    const rows = await this.database.query<{ provider: string; count: number }>({
      name: 'unanswered-waiting',
      text: `SELECT provider, count(*)::int AS count FROM payment WHERE state = 'OPEN' AND next_ask_at <= clock_timestamp() GROUP BY provider`,
      values: [],
    });
    return new Map(rows.map(({ provider, count }) => [provider, count]));
  }
}
