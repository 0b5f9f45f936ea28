import type { CodePoolView } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { texts } from '../ledger/sql-array.js';
import type { SealedCode } from './code-cipher.js';

/** Imported codes, by sale and item. */
@Injectable()
export class CodePoolStore {
  constructor(private readonly database: Database) {}

  /** The pool's id, of a pool made now if there was none. */
  async open(tx: Transaction, saleId: string, itemId: string): Promise<number> {
    const known = await this.find(tx, saleId, itemId);
    if (known !== null) return known;
    await tx.query('INSERT INTO code_pool (sale_id, item_id) VALUES ($1, $2) ON CONFLICT DO NOTHING', [saleId, itemId]);
    return (await this.find(tx, saleId, itemId))!;
  }

  async find(from: Transaction | Database, saleId: string, itemId: string): Promise<number | null> {
    const [row] = await from.query<{ poolId: number }>({
      name: 'code-pool-find', text: 'SELECT pool_id AS "poolId" FROM code_pool WHERE sale_id = $1 AND item_id = $2', values: [saleId, itemId],
    });
    return row?.poolId ?? null;
  }

  /** Notes that a chunk is written, once; the answer it had before, if it was written already (or is being: then after that). */
  async beginChunk(tx: Transaction, chunk: { importId: string; chunk: number; poolId: number; actor: string }): Promise<{ added: number; duplicates: number } | null> {
    const begun = await tx.query(
      'INSERT INTO code_import_chunk (import_id, chunk, pool_id, actor) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING chunk',
      [chunk.importId, chunk.chunk, chunk.poolId, chunk.actor]);
    if (begun.length > 0) return null;
    const [known] = await tx.query<{ added: number; duplicates: number }>(
      'SELECT added, duplicates FROM code_import_chunk WHERE import_id = $1 AND chunk = $2', [chunk.importId, chunk.chunk]);
    return known!;
  }

  /**
   * Adds codes that the pool does not have. Sorted by fingerprint, so that two imports of the same codes wait for each other instead of
   * dying together.
   * @returns how many were added
   */
  async add(tx: Transaction, poolId: number, codes: readonly SealedCode[]): Promise<number> {
    const sorted = codes.toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
    const [row] = await tx.query<{ added: number }>({
      name: 'code-add',
      text: `WITH added AS (INSERT INTO code (pool_id, fingerprint, key_id, sealed)
          SELECT $1, decode(c.fingerprint, 'hex'), c.key_id, decode(c.sealed, 'hex') FROM unnest($2::text[], $3::text[], $4::text[]) AS c (fingerprint, key_id, sealed)
          ON CONFLICT (pool_id, fingerprint) DO NOTHING RETURNING 1)
        SELECT count(*)::int AS added FROM added`,
      values: [poolId, texts(sorted.map((code) => code.fingerprint)), texts(sorted.map((code) => code.keyId)), texts(sorted.map((code) => code.sealed))],
    });
    return row!.added;
  }

  async endChunk(tx: Transaction, importId: string, chunk: number, counts: { added: number; duplicates: number }): Promise<void> {
    await tx.query('UPDATE code_import_chunk SET added = $3, duplicates = $4 WHERE import_id = $1 AND chunk = $2', [importId, chunk, counts.added, counts.duplicates]);
  }

  async setPolicy(tx: Transaction, poolId: number, onRefund: CodePoolView['onRefund']): Promise<void> {
    await tx.query('UPDATE code_pool SET on_refund = $2 WHERE pool_id = $1', [poolId, onRefund]);
  }

  /** Counts every code of the item; zeros where nothing was imported. */
  async view(from: Transaction | Database, saleId: string, itemId: string): Promise<CodePoolView> {
    const [row] = await from.query<Omit<CodePoolView, 'saleId' | 'itemId'>>(
      `SELECT p.on_refund AS "onRefund", count(c.code_id)::int AS total, count(*) FILTER (WHERE c.state = 'FREE')::int AS free,
         count(*) FILTER (WHERE c.state = 'ISSUED')::int AS issued, count(*) FILTER (WHERE c.state = 'REDEEMED')::int AS redeemed,
         count(*) FILTER (WHERE c.state = 'BURNED')::int AS burned
       FROM code_pool p LEFT JOIN code c USING (pool_id) WHERE p.sale_id = $1 AND p.item_id = $2 GROUP BY p.pool_id`, [saleId, itemId]);
    return { saleId, itemId, ...(row ?? { total: 0, free: 0, issued: 0, redeemed: 0, burned: 0, onRefund: 'burn' }) };
  }

  /** Ids of free codes after `after`, in their order. */
  async freePage(saleId: string, itemId: string, after: number, limit: number): Promise<number[]> {
    const rows = await this.database.query<{ codeId: number }>({
      name: 'code-free-page',
      text: `SELECT c.code_id::float8 AS "codeId" FROM code c JOIN code_pool p USING (pool_id)
        WHERE p.sale_id = $1 AND p.item_id = $2 AND c.state = 'FREE' AND c.code_id > $3 ORDER BY c.code_id LIMIT $4`,
      values: [saleId, itemId, after, limit],
    });
    return rows.map((row) => row.codeId);
  }

  /** Free codes of an item, counted up to `most`. */
  async countFree(from: Transaction | Database, saleId: string, itemId: string, most: number): Promise<number> {
    const [row] = await from.query<{ free: number }>({
      name: 'code-count-free',
      text: `SELECT count(*)::int AS free FROM (SELECT FROM code c JOIN code_pool p USING (pool_id)
        WHERE p.sale_id = $1 AND p.item_id = $2 AND c.state = 'FREE' LIMIT $3) AS found`,
      values: [saleId, itemId, most],
    });
    return row!.free;
  }
}
