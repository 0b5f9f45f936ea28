import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { numbers, texts } from '../ledger/sql-array.js';

/** What a key is valid for: one account, one route, one sale or order. */
export interface KeyScope {
  accountId: string;
  route: 'start-payment' | 'cancel-order' | 'reissue-codes';
  subject: string;
  key: string;
}

export interface BoundAnswer {
  /** Of the body that bound the key; another body under the same key is refused. */
  fingerprint: string;
  status: number;
  body: unknown;
}

/** What is bound to a key after an attempt to bind it; `first`: by this attempt. */
export interface Binding {
  first: boolean;
  bound: BoundAnswer;
}

/** Answers bound to idempotency keys. Only successes are bound; a refusal leaves the key free. */
@Injectable()
export class IdempotencyKeyStore {
  constructor(private readonly database: Database) {}

  async find(scope: KeyScope): Promise<BoundAnswer | null> {
    return (await this.findAll(this.database, [scope]))[0] ?? null;
  }

  /** What is bound to each of these keys, in their order. */
  async findAll(from: Database | Transaction, scopes: readonly KeyScope[]): Promise<(BoundAnswer | null)[]> {
    const rows = await from.query<BoundAnswer & KeyScope>({
      name: 'idempotency-find',
      text: `SELECT account_id AS "accountId", route, subject, key, fingerprint, status, body FROM idempotency_key
        JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w (account_id, route, subject, key) USING (account_id, route, subject, key)`,
      values: columnsOf(scopes),
    });
    const found = new Map(rows.map(({ fingerprint, status, body, ...scope }) => [nameOf(scope), { fingerprint, status, body }]));
    return scopes.map((scope) => found.get(nameOf(scope)) ?? null);
  }

  async bind(tx: Transaction, scope: KeyScope, answer: BoundAnswer): Promise<Binding> {
    return (await this.bindAll(tx, [{ scope, answer }]))[0]!;
  }

  /**
   * Binds each answer unless its key is bound, the first of several for the same key; answers what is bound then, in their order.
   * Waits for transactions that are binding the same keys.
   */
  async bindAll(tx: Transaction, wanted: readonly { scope: KeyScope; answer: BoundAnswer }[]): Promise<Binding[]> {
    const firsts = new Map<string, { scope: KeyScope; answer: BoundAnswer }>();
    for (const one of wanted) if (!firsts.has(nameOf(one.scope))) firsts.set(nameOf(one.scope), one);
    // By name, so that two transactions that bind the same keys wait for each other instead of dying together.
    const unique = [...firsts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
    const rows = await tx.query<BoundAnswer & KeyScope & { first: boolean }>({
      name: 'idempotency-bind',
      // The update changes nothing; it is there so that the row of whoever was first comes back. xmax is 0 only for a row just inserted.
      text: `INSERT INTO idempotency_key AS k (account_id, route, subject, key, fingerprint, status, body)
        SELECT w.account_id, w.route, w.subject, w.key, w.fingerprint, w.status, w.body
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::jsonb[]) AS w (account_id, route, subject, key, fingerprint, status, body)
        ON CONFLICT (account_id, route, subject, key) DO UPDATE SET key = k.key
        RETURNING account_id AS "accountId", route, subject, key, fingerprint, status, body, xmax = 0 AS first`,
      values: [
        ...columnsOf(unique.map(({ scope }) => scope)),
        texts(unique.map(({ answer }) => answer.fingerprint)), numbers(unique.map(({ answer }) => answer.status)), texts(unique.map(({ answer }) => JSON.stringify(answer.body))),
      ],
    });
    const bound = new Map(rows.map(({ fingerprint, status, body, first, ...scope }) => [nameOf(scope), { first, bound: { fingerprint, status, body } }]));
    return wanted.map((one) => {
      const binding = bound.get(nameOf(one.scope));
      if (!binding) throw new Error('an upsert returned no row');
      return { ...binding, first: binding.first && firsts.get(nameOf(one.scope)) === one };
    });
  }
}

const nameOf = ({ accountId, route, subject, key }: KeyScope): string => JSON.stringify([accountId, route, subject, key]);
const columnsOf = (scopes: readonly KeyScope[]): string[] =>
  [texts(scopes.map((s) => s.accountId)), texts(scopes.map((s) => s.route)), texts(scopes.map((s) => s.subject)), texts(scopes.map((s) => s.key))];
