import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { numbers, texts } from '../ledger/sql-array.js';
import type { ProviderNotice } from '../payment-provider/payment-provider.js';

/** A notice and who sent it. */
export interface Told {
  provider: string;
  notice: ProviderNotice;
}

/** Notices sorted by what the inbox knows of them. */
export interface Received<T extends Told> {
  fresh: T[];
  repeated: T[];
  /** Of an event that was recorded with another body: one of the two is wrong, and the first stands. */
  altered: T[];
}

interface Recorded {
  provider: string;
  eventId: string;
  body: ProviderNotice;
}

/** The inbox: every notice that a provider gave (or that we asked for), each once, with what came of it. */
@Injectable()
export class PaymentEventStore {
  /** Records the notices that had not been recorded before, each once; transactions that are recording them are waited for. */
  async receive<T extends Told>(tx: Transaction, told: readonly T[]): Promise<Received<T>> {
    const fresh = await this.recordNew(tx, told);
    const known = told.filter((one) => !fresh.includes(one));
    if (known.length === 0) return { fresh, repeated: [], altered: [] };
    const first = await this.read(tx, known);
    const altered = known.filter((one) => factsOf(one.notice) !== factsOf(first.get(nameOf(one))!));
    await this.noteAltered(tx, altered);
    return { fresh, repeated: known.filter((one) => !altered.includes(one)), altered };
  }

  async noteOutcomes(tx: Transaction, outcomes: ReadonlyMap<Told, string>): Promise<void> {
    if (outcomes.size === 0) return;
    const told = [...outcomes.keys()];
    await tx.query({
      name: 'payment-event-outcome',
      text: `UPDATE payment_event e SET outcome = n.outcome FROM unnest($1::text[], $2::text[], $3::text[]) AS n (provider, event_id, outcome)
        WHERE e.provider = n.provider AND e.event_id = n.event_id`,
      values: [texts(told.map(({ provider }) => provider)), texts(told.map(({ notice }) => notice.id)), texts([...outcomes.values()])],
    });
  }

  private async recordNew<T extends Told>(tx: Transaction, told: readonly T[]): Promise<T[]> {
    const notices = told.map(({ notice }) => notice);
    const rows = await tx.query<{ provider: string; eventId: string }>({
      name: 'payment-event-insert',
      text: `INSERT INTO payment_event (provider, event_id, payment_id, type, amount, body, outcome)
        SELECT n.*, 'received' FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::jsonb[]) AS n
        ON CONFLICT DO NOTHING RETURNING provider, event_id AS "eventId"`,
      values: [
        texts(told.map(({ provider }) => provider)), texts(notices.map((n) => n.id)), texts(notices.map((n) => n.paymentId)), texts(notices.map((n) => n.type)),
        numbers(notices.map((n) => n.amount.amount)), texts(notices.map((n) => JSON.stringify(n))),
      ],
    });
    const recorded = new Set(rows.map(({ provider, eventId }) => `${provider}/${eventId}`));
    // Deleting, because the same notice may stand among them twice.
    return told.filter((one) => recorded.delete(nameOf(one)));
  }

  private async read(tx: Transaction, told: readonly Told[]): Promise<Map<string, ProviderNotice>> {
    const rows = await tx.query<Recorded>({
      name: 'payment-event-read',
      text: `SELECT e.provider, e.event_id AS "eventId", e.body FROM payment_event e
        JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::text[])) AS n (provider, event_id) USING (provider, event_id)`,
      values: [texts(told.map(({ provider }) => provider)), texts(told.map(({ notice }) => notice.id))],
    });
    return new Map(rows.map((row) => [`${row.provider}/${row.eventId}`, row.body]));
  }

  /** Counted, and the last other body kept, so that people can see what the provider says now. */
  private async noteAltered(tx: Transaction, told: readonly Told[]): Promise<void> {
    for (const { provider, notice } of told) {
      await tx.query({
        name: 'payment-event-altered',
        text: `UPDATE payment_event SET altered = altered + 1, altered_body = $3, altered_at = clock_timestamp() WHERE provider = $1 AND event_id = $2`,
        values: [provider, notice.id, JSON.stringify(notice)],
      });
    }
  }
}

const nameOf = ({ provider, notice }: Told): string => `${provider}/${notice.id}`;

/** What an event says; when it was written down again is not part of it. */
const factsOf = ({ type, paymentId, orderId, amount }: ProviderNotice): string => JSON.stringify([type, paymentId, orderId, amount.amount, amount.currency]);
