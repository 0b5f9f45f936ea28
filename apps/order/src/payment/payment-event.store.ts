import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { ProviderNotice } from './payment-provider.js';

/** Every notice that a provider gave (or that we asked for), each once, with what came of it. */
@Injectable()
export class PaymentEventStore {
  /** False if this event was recorded before; a transaction that is recording it right now is waited for. */
  async firstTime(tx: Transaction, provider: string, notice: ProviderNotice): Promise<boolean> {
    const rows = await tx.query({
      name: 'payment-event-insert',
      text: `INSERT INTO payment_event (provider, event_id, payment_id, type, amount, body, outcome) VALUES ($1, $2, $3, $4, $5, $6, 'received')
        ON CONFLICT DO NOTHING RETURNING event_id`,
      values: [provider, notice.id, notice.paymentId, notice.type, notice.amount.amount, JSON.stringify(notice)],
    });
    return rows.length > 0;
  }

  async noteOutcome(tx: Transaction, provider: string, eventId: string, outcome: string): Promise<void> {
    await tx.query({ name: 'payment-event-outcome', text: 'UPDATE payment_event SET outcome = $3 WHERE provider = $1 AND event_id = $2', values: [provider, eventId, outcome] });
  }
}
