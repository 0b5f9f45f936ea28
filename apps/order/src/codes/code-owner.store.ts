import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { numbers, texts } from '../ledger/sql-array.js';

/** One code that somebody owns. */
export interface OwnedCode {
  codeId: number;
  poolId: number;
  itemId: string;
  fingerprint: string;
  keyId: string;
  sealed: string;
  state: 'ISSUED' | 'REDEEMED' | 'BURNED';
}

export interface Ownership {
  codeId: number;
  owner: string;
}

/** Who owns which code: the one record that decides it. A code goes from FREE to one owner, by compare-and-set. */
@Injectable()
export class CodeOwnerStore {
  constructor(private readonly database: Database) {}

  /** Gives free codes to their new owners. Returns those given; a code that has an owner stays with it. */
  async give(tx: Transaction, wanted: readonly Ownership[]): Promise<Ownership[]> {
    if (wanted.length === 0) return [];
    return tx.query<Ownership>({
      name: 'code-give',
      text: `UPDATE code c SET owner = w.owner, state = 'ISSUED' FROM unnest($1::bigint[], $2::text[]) AS w (code_id, owner)
        WHERE c.code_id = w.code_id AND c.owner IS NULL RETURNING c.code_id::float8 AS "codeId", c.owner`,
      values: [numbers(wanted.map((one) => one.codeId)), texts(wanted.map((one) => one.owner))],
    });
  }

  /** Makes issued codes free again. */
  async free(tx: Transaction, codeIds: readonly number[]): Promise<void> {
    if (codeIds.length === 0) return;
    await tx.query(`UPDATE code SET owner = NULL, state = 'FREE' WHERE code_id = ANY($1::bigint[]) AND state = 'ISSUED'`, [numbers(codeIds)]);
  }

  /** Issued codes that nobody may use any more. Their owner stays on record. */
  async burn(tx: Transaction, codeIds: readonly number[]): Promise<void> {
    if (codeIds.length === 0) return;
    await tx.query(`UPDATE code SET state = 'BURNED' WHERE code_id = ANY($1::bigint[]) AND state = 'ISSUED'`, [numbers(codeIds)]);
  }

  async redeem(tx: Transaction, codeIds: readonly number[]): Promise<void> {
    await tx.query(`UPDATE code SET state = 'REDEEMED', redeemed_at = clock_ms() WHERE code_id = ANY($1::bigint[]) AND state = 'ISSUED'`, [numbers(codeIds)]);
  }

  /**
   * `count` free codes for an owner, all or none, without asking Redis: from the far end of the pool, where Redis comes last. If it comes to
   * one of them all the same, it finds it owned.
   */
  async takeFree(tx: Transaction, poolId: number, count: number, owner: string): Promise<number[] | 'short'> {
    const found = await tx.query<{ codeId: number }>(
      `SELECT code_id::float8 AS "codeId" FROM code WHERE pool_id = $1 AND state = 'FREE' ORDER BY code_id DESC LIMIT $2 FOR UPDATE SKIP LOCKED`, [poolId, count]);
    if (found.length < count) return 'short';
    const given = await this.give(tx, found.map(({ codeId }) => ({ codeId, owner })));
    return given.map(({ codeId }) => codeId);
  }

  /** The codes of these owners that may be used or were, in the order they were imported; burned ones only if asked for. */
  async ofOwners(from: Transaction | Database, owners: readonly string[], withBurned = false): Promise<(OwnedCode & { owner: string })[]> {
    if (owners.length === 0) return [];
    return from.query({
      name: 'code-of-owners',
      text: `SELECT c.owner, c.code_id::float8 AS "codeId", c.pool_id AS "poolId", p.item_id AS "itemId", encode(c.fingerprint, 'hex') AS fingerprint, c.key_id AS "keyId",
          encode(c.sealed, 'hex') AS sealed, c.state
        FROM code c JOIN code_pool p USING (pool_id) WHERE c.owner = ANY($1) AND (c.state <> 'BURNED' OR $2) ORDER BY c.code_id`,
      values: [texts(owners), withBurned],
    });
  }

  async ofOwner(owner: string): Promise<OwnedCode[]> {
    return this.ofOwners(this.database, [owner]);
  }

  /**
   * What a refund does to the codes that were issued to these owners: burned, or free again where the item's policy says so. Redeemed ones
   * stay as they are.
   * @returns how many of each
   */
  async refund(tx: Transaction, owners: readonly string[]): Promise<{ owner: string; codeId: number; now: 'BURNED' | 'FREE' }[]> {
    if (owners.length === 0) return [];
    return tx.query({
      name: 'code-refund',
      text: `WITH due AS (SELECT c.code_id, c.owner, p.on_refund FROM code c JOIN code_pool p USING (pool_id) WHERE c.owner = ANY($1) AND c.state = 'ISSUED' ORDER BY c.code_id FOR UPDATE OF c)
        UPDATE code c SET state = CASE WHEN due.on_refund = 'return' THEN 'FREE' ELSE 'BURNED' END, owner = CASE WHEN due.on_refund = 'return' THEN NULL ELSE due.owner END
        FROM due WHERE c.code_id = due.code_id RETURNING due.owner, c.code_id::float8 AS "codeId", c.state AS now`,
      values: [texts(owners)],
    });
  }

  /** Writes down who did what to an owner's codes. */
  async record(tx: Transaction, event: string, entry: { actor: string; owner: string; reason?: string; codeIds: readonly number[] }): Promise<void> {
    await tx.query('INSERT INTO code_event (event, actor, owner, reason, code_ids) VALUES ($1, $2, $3, $4, $5::bigint[])',
      [event, entry.actor, entry.owner, entry.reason ?? '', numbers(entry.codeIds)]);
  }
}
