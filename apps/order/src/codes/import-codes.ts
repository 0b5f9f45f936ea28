import type { Ask } from '@floodgate/contracts';
import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { AdminActs } from '../audit-log/admin-acts.js';
import { CodeCipher, type SealedCode } from './code-cipher.js';
import { CodePoolStore } from './code-pool.store.js';

/** Takes in one chunk of an import: sealed here, so that what is written and logged from here on shows no code. */
@Injectable()
export class ImportCodes {
  constructor(private readonly database: Database, private readonly pools: CodePoolStore, private readonly cipher: CodeCipher, private readonly acts: AdminActs) {}

  /** Codes that the pool has, and those that stand twice in the chunk, are duplicates. Idempotent by import and chunk number. */
  async take({ importId, chunk, actor, saleId, itemId, codes }: Ask<'import-codes'>): Promise<{ added: number; duplicates: number }> {
    return this.database.transaction(async (tx) => {
      const poolId = await this.pools.open(tx, saleId, itemId);
      const before = await this.pools.beginChunk(tx, { importId, chunk, poolId, actor: actor.accountId });
      if (before) return before;
      const sealed = new Map<string, SealedCode>();
      for (const code of new Set(codes)) {
        const row = this.cipher.seal(poolId, code);
        sealed.set(row.fingerprint, row);
      }
      const added = await this.pools.add(tx, poolId, [...sealed.values()]);
      const counts = { added, duplicates: codes.length - added };
      await this.pools.endChunk(tx, importId, chunk, counts);
      // Once for each import: what became of every chunk is kept here.
      if (chunk === 0) await this.acts.note(tx, { accountId: actor.accountId, action: 'import-codes', subject: itemId, reason: null, before: null, after: { saleId, importId, firstChunk: counts } });
      return counts;
    });
  }
}
