import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { numbers, texts } from '../ledger/sql-array.js';
import type { ProviderNotice } from '../payment-provider/payment-provider.js';

/** A notice and who sent it. */
export interface Told {
  provider: string;
  notice: ProviderNotice;
}

/** Every notice that a provider gave (or that we asked for), each once, with what came of it. */
@Injectable()
export class PaymentEventStore {
  /** Records the notices and answers those that had not been recorded before, each once; transactions that are recording them are waited for. */
  async recordNew<T extends Told>(tx: Transaction, told: readonly T[]): Promise<T[]> {
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
    const recorded = new Set(rows.map(({ provider, eventId }) => nameOf(provider, eventId)));
    // Deleting, because the same notice may stand among them twice.
    return told.filter(({ provider, notice }) => recorded.delete(nameOf(provider, notice.id)));
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
}

const nameOf = (provider: string, eventId: string): string => `${provider}/${eventId}`;
