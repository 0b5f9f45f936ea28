import type { ItemQuantity } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { texts } from '../ledger/sql-array.js';

/** What a paid order is owed. */
export interface CodeClaim {
  saleId: string;
  rid: string;
  items: ItemQuantity[];
  /** Tries, this one included. */
  attempts: number;
}

/** Paid orders that are owed codes. */
@Injectable()
export class CodeClaimStore {
  constructor(private readonly database: Database) {}

  async add(tx: Transaction, saleId: string, claims: readonly Pick<CodeClaim, 'rid' | 'items'>[]): Promise<void> {
    if (claims.length === 0) return;
    await tx.query({
      name: 'code-claim-add',
      text: `INSERT INTO code_claim (sale_id, rid, items) SELECT $1, c.rid, c.items::jsonb FROM unnest($2::text[], $3::text[]) AS c (rid, items) ON CONFLICT DO NOTHING`,
      values: [saleId, texts(claims.map(({ rid }) => rid)), texts(claims.map(({ items }) => JSON.stringify(items)))],
    });
  }

  /** Claims of the sale whose oldest is due first, each taken for `leaseSeconds`: two issuers at once share the work. */
  async takeDue(limit: number, leaseSeconds: number): Promise<CodeClaim[]> {
    return this.database.query<CodeClaim>({
      name: 'code-claim-take',
      text: `UPDATE code_claim c SET attempts = c.attempts + 1, next_attempt_at = clock_timestamp() + make_interval(secs => $2) FROM (
          SELECT sale_id, rid FROM code_claim WHERE state = 'WAITING' AND next_attempt_at <= clock_timestamp() ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ) AS due WHERE c.sale_id = due.sale_id AND c.rid = due.rid RETURNING c.sale_id AS "saleId", c.rid, c.items, c.attempts`,
      values: [limit, leaseSeconds],
    });
  }

  async putOff(saleId: string, rids: readonly string[], delaySeconds: number): Promise<void> {
    if (rids.length === 0) return;
    await this.database.query({
      name: 'code-claim-put-off',
      text: `UPDATE code_claim SET next_attempt_at = clock_timestamp() + make_interval(secs => $3), updated_at = clock_timestamp()
        WHERE sale_id = $1 AND rid = ANY($2) AND state = 'WAITING'`,
      values: [saleId, texts(rids), delaySeconds],
    });
  }

  async end(tx: Transaction, saleId: string, rids: readonly string[], state: 'ISSUED' | 'SHORT' | 'VOID'): Promise<void> {
    if (rids.length === 0) return;
    await tx.query({
      name: 'code-claim-end', text: 'UPDATE code_claim SET state = $3, updated_at = clock_timestamp() WHERE sale_id = $1 AND rid = ANY($2)', values: [saleId, texts(rids), state],
    });
  }

  /** Claims that wait, and the age of the oldest in seconds. */
  async waiting(): Promise<{ count: number; oldestSeconds: number }> {
    const [row] = await this.database.query<{ count: number; oldestSeconds: number }>({
      name: 'code-claim-waiting',
      text: `SELECT count(*)::int AS count, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS "oldestSeconds" FROM code_claim WHERE state = 'WAITING'`,
      values: [],
    });
    return row!;
  }
}
