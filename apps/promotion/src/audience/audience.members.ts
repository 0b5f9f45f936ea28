import { Injectable } from '@nestjs/common';
import { audienceHash, packHashes } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import type { Sale } from '../sale/sale.entity.js';

/** Members of one page: some 400 KB on the wire. */
const pageMax = 40_000;

/** The table of members. */
@Injectable()
export class AudienceMembers {
  constructor(private readonly database: Database) {}

  /** @returns how many were not members before */
  async add(tx: Transaction, { id, ridSecret }: Sale, accounts: readonly string[]): Promise<number> {
    if (accounts.length === 0) return 0;
    const [row] = await tx.query<{ added: number }>(
      `WITH added AS (INSERT INTO audience_member (sale_id, hash) SELECT $1, unnest($2::bigint[]) ON CONFLICT DO NOTHING RETURNING 1)
       SELECT count(*)::int AS added FROM added`, [id, accounts.map((account) => audienceHash(ridSecret, account))]);
    return row?.added ?? 0;
  }

  /** The accounts of the sale's body in place of all members. */
  async replace(tx: Transaction, sale: Sale): Promise<void> {
    await tx.query('DELETE FROM audience_member WHERE sale_id = $1', [sale.id]);
    if (!sale.audience?.byCode) await tx.query('DELETE FROM audience_code WHERE sale_id = $1', [sale.id]);
    await this.add(tx, sale, sale.audience?.accounts ?? []);
  }

  /** Whether anybody may buy at all: a member, or the holder of a code. */
  async isEmpty(saleId: string): Promise<boolean> {
    const rows = await this.database.query('SELECT 1 FROM audience_member WHERE sale_id = $1 UNION ALL SELECT 1 FROM audience_code WHERE sale_id = $1 LIMIT 1', [saleId]);
    return rows.length === 0;
  }

  /** @param after the last hash of the page before, -1 for the first page */
  async page(saleId: string, after: number): Promise<{ hashes: string; next: number | null }> {
    const rows = await this.database.query<{ hash: number }>('SELECT hash FROM audience_member WHERE sale_id = $1 AND hash > $2 ORDER BY hash LIMIT $3', [saleId, after, pageMax]);
    return { hashes: packHashes(rows.map(({ hash }) => hash)), next: rows.length === pageMax ? rows.at(-1)!.hash : null };
  }
}
