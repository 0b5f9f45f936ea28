import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { accept, audienceHash, refuse, type Actor, type Outcome } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { AuditLogStore } from '../audit-log/audit-log.store.js';
import type { Sale } from '../sale/sale.entity.js';
import { saleOf, selectSaleSql, type SaleRow } from '../sale/sale.rows.js';
import { isOwner } from '../sale/sale.transitions.js';
import { AudienceMembers } from './audience.members.js';

const guestsPerPage = 10_000;

export interface Added {
  added: number;
  duplicates: number;
}

/** Audiences larger than a sale's body, and those who come by a code. */
@Injectable()
export class AudienceStore {
  constructor(private readonly database: Database, private readonly auditLog: AuditLogStore, private readonly members: AudienceMembers) {}

  /** `NOT_FOUND`, `INVALID_TRANSITION` with `state`: only a draft's audience grows, whoever approves it knows how large it is. */
  addAccounts(actor: Actor, saleId: string, accounts: readonly string[]): Promise<Outcome<Added>> {
    return this.change(actor, saleId, 'import-audience', async (tx, sale) => {
      const added = await this.members.add(tx, sale, accounts);
      return { added, duplicates: accounts.length - added, byCode: sale.audience?.byCode ?? false };
    });
  }

  addCodes(actor: Actor, saleId: string, codes: readonly { code: string; uses: number }[]): Promise<Outcome<Added>> {
    return this.change(actor, saleId, 'add-audience-codes', async (tx, sale) => {
      const rows = await tx.query(
        `INSERT INTO audience_code (sale_id, code, uses) SELECT $1, * FROM unnest($2::text[], $3::int[]) ON CONFLICT DO NOTHING RETURNING 1`,
        [saleId, codes.map(({ code }) => codeHash(sale, code)), codes.map(({ uses }) => uses)]);
      return { added: rows.length, duplicates: codes.length - rows.length, byCode: true };
    });
  }

  /** Lets the holder of a code in, once: who is in already uses nothing up. `NOT_ELIGIBLE` for a code that is wrong or used up. */
  async join(saleId: string, accountId: string, code: string): Promise<Outcome<{ saleId: string }>> {
    return this.database.transaction(async (tx) => {
      const [row] = await tx.query<SaleRow>(`${selectSaleSql} WHERE id = $1 AND state NOT IN ('DRAFT', 'SUBMITTED', 'REJECTED')`, [saleId]);
      if (!row) return refuse('SALE_NOT_FOUND', 'There is no such sale.');
      const sale = saleOf(row);
      const hash = audienceHash(sale.ridSecret, accountId);
      // One guest of a sale at a time: they are numbered in the order in which they are committed.
      await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('guests of ' || $1, 0))", [saleId]);
      const known = await tx.query('SELECT 1 FROM audience_guest WHERE sale_id = $1 AND hash = $2 UNION ALL SELECT 1 FROM audience_member WHERE sale_id = $1 AND hash = $2', [saleId, hash]);
      if (known.length > 0) return accept({ saleId });
      const used = await tx.query('UPDATE audience_code SET used = used + 1 WHERE sale_id = $1 AND code = $2 AND used < uses RETURNING 1', [saleId, codeHash(sale, code)]);
      if (used.length === 0) return refuse('NOT_ELIGIBLE', 'This code lets nobody in.');
      await tx.query('INSERT INTO audience_guest (sale_id, hash) VALUES ($1, $2)', [saleId, hash]);
      return accept({ saleId });
    });
  }

  /** Guests after this one, in the order of coming. */
  async guests(saleId: string, after: number): Promise<{ hashes: number[]; last: number; more: boolean }> {
    const rows = await this.database.query<{ hash: number; seq: number }>(
      'SELECT hash, seq FROM audience_guest WHERE sale_id = $1 AND seq > $2 ORDER BY seq LIMIT $3', [saleId, after, guestsPerPage]);
    return { hashes: rows.map(({ hash }) => hash), last: rows.at(-1)?.seq ?? after, more: rows.length === guestsPerPage };
  }

  private change(actor: Actor, saleId: string, action: string, work: (tx: Transaction, sale: Sale) => Promise<Added & { byCode: boolean }>): Promise<Outcome<Added>> {
    return this.database.transaction(async (tx) => {
      const [row] = await tx.query<SaleRow>(`${selectSaleSql} WHERE id = $1 FOR UPDATE`, [saleId]);
      const sale = row && saleOf(row);
      if (!sale || !isOwner(sale, actor)) return refuse('NOT_FOUND', 'There is no such sale.');
      if (sale.state !== 'DRAFT') return refuse('INVALID_TRANSITION', 'Only the audience of a draft can grow.', { state: sale.state });
      const { byCode, ...result } = await work(tx, sale);
      const audience = { accounts: sale.audience?.accounts ?? [], byCode };
      await tx.query('UPDATE sale SET audience = $2, edited_by = $3, version = version + 1, updated_at = clock_timestamp() WHERE id = $1', [saleId, JSON.stringify(audience), actor.accountId]);
      await this.auditLog.add(tx, { accountId: actor.accountId, action, subject: saleId, reason: null, before: null, after: { ...result } });
      return accept(result);
    });
  }
}

const codeHash = ({ ridSecret }: Sale, code: string): string => createHmac('sha256', Buffer.from(ridSecret, 'hex')).update(`audience code\n${code}`).digest('hex');
