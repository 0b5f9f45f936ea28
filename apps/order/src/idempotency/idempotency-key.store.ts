import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** What a key is valid for: one account, one route, one sale or order. */
export interface KeyScope {
  accountId: string;
  route: 'start-payment' | 'cancel-order';
  subject: string;
  key: string;
}

export interface BoundAnswer {
  /** Of the body that bound the key; another body under the same key is refused. */
  fingerprint: string;
  status: number;
  body: unknown;
}

/** Answers bound to idempotency keys. Only successes are bound; a refusal leaves the key free. */
@Injectable()
export class IdempotencyKeyStore {
  constructor(private readonly database: Database) {}

  async find({ accountId, route, subject, key }: KeyScope): Promise<BoundAnswer | null> {
    const rows = await this.database.query<BoundAnswer>({
      name: 'idempotency-find',
      text: 'SELECT fingerprint, status, body FROM idempotency_key WHERE account_id = $1 AND route = $2 AND subject = $3 AND key = $4',
      values: [accountId, route, subject, key],
    });
    return rows[0] ?? null;
  }

  /** Binds the answer unless the key is bound; answers what is bound then. Waits for a transaction that is binding the same key. */
  async bind(tx: Transaction, { accountId, route, subject, key }: KeyScope, answer: BoundAnswer): Promise<{ first: boolean; bound: BoundAnswer }> {
    const rows = await tx.query<BoundAnswer & { first: boolean }>({
      name: 'idempotency-bind',
      // The update changes nothing; it is there so that the row of whoever was first comes back. xmax is 0 only for a row just inserted.
      text: `INSERT INTO idempotency_key AS k (account_id, route, subject, key, fingerprint, status, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (account_id, route, subject, key) DO UPDATE SET key = k.key RETURNING fingerprint, status, body, xmax = 0 AS first`,
      values: [accountId, route, subject, key, answer.fingerprint, answer.status, JSON.stringify(answer.body)],
    });
    const row = rows[0];
    if (!row) throw new Error('an upsert returned no row');
    const { first, ...bound } = row;
    return { first, bound };
  }
}
