import { Injectable } from '@nestjs/common';
import { accept, refuse, type Outcome, type StoredSaleState } from '@floodgate/contracts';
import { Database, Outbox, type Transaction } from '@floodgate/platform';
import { AudienceMembers } from '../audience/audience.members.js';
import { AuditLogStore } from '../audit-log/audit-log.store.js';
import type { Sale } from './sale.entity.js';
import { saleDocument } from './sale.view.js';
import { auditedPart, insertSale, publishedSql, saleOf, selectSaleSql, updateSale, type SaleRow } from './sale.rows.js';

/** Pages are cut so that no answer grows beyond what the broker carries well: a sale may have 5,000 items. */
const itemsPerPageMax = 5_000;
const publishedPerPage = 20;
/** Gateways still answer for a sale this long after its end. */
const publishedAfterEndMs = 2 * 24 * 3_600_000;
/** States in which nobody but staff may know of a sale. */
const unpublished: readonly StoredSaleState[] = ['DRAFT', 'SUBMITTED', 'REJECTED'];

/** Who changes a sale, for the audit log. */
export interface Change {
  accountId: string;
  action: string;
  reason: string | null;
}

/** The table of sales. Each change is one transaction: the row, the audit log, and the message that tells the other services. */
@Injectable()
export class SaleStore {
  constructor(private readonly database: Database, private readonly auditLog: AuditLogStore, private readonly outbox: Outbox, private readonly members: AudienceMembers) {}

  async insert(sale: Sale): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.query(insertSale(sale));
      if (sale.audience) await this.members.add(tx, sale, sale.audience.accounts);
      await this.auditLog.add(tx, { accountId: sale.merchantId, action: 'create', subject: sale.id, reason: null, before: null, after: auditedPart(sale) });
    });
  }

  async find(id: string): Promise<Sale | null> {
    const [row] = await this.database.query<SaleRow>(`${selectSaleSql} WHERE id = $1`, [id]);
    return row ? saleOf(row) : null;
  }

  /**
   * Sales, newest first. A page ends early when its sales have many items.
   * @param merchantId only this merchant's, or null for all
   * @param before position after which the page starts (a `next` of an earlier page), or null
   */
  async page(merchantId: string | null, before: string | null, limit: number): Promise<{ sales: Sale[]; next: string | null }> {
    const rows = await this.database.query<SaleRow>(
      `${selectSaleSql} WHERE ($1::text IS NULL OR merchant_id = $1) AND ($2::bigint IS NULL OR position < $2) ORDER BY position DESC LIMIT $3`,
      [merchantId, before, limit + 1],
    );
    return cut(rows, limit, (row) => String(row.position));
  }

  /** Sales that the public may know of, by id, without those that ended two days ago or more. */
  async published(after: string | null, nowMs: number): Promise<{ sales: Sale[]; next: string | null }> {
    const rows = await this.database.query<SaleRow>(publishedSql, [after ?? '', new Date(nowMs - publishedAfterEndMs), publishedPerPage + 1]);
    return cut(rows, publishedPerPage, (row) => row.id);
  }

  /**
   * Changes one sale by a decision that is taken under its row lock (changes of one sale are rare and must not be lost, so they
   * wait for each other); the version rises by one. A refusal by `decide` changes nothing.
   * Refuses with `NOT_FOUND` if there is no such sale.
   */
  async change(id: string, change: Change, decide: (sale: Sale) => Outcome<Partial<Sale>>): Promise<Outcome<Sale>> {
    return this.database.transaction(async (tx) => {
      const [row] = await tx.query<SaleRow>(`${selectSaleSql} WHERE id = $1 FOR UPDATE`, [id]);
      if (!row) return refuse('NOT_FOUND', 'There is no such sale.');
      const before = saleOf(row);
      const decision = decide(before);
      if (!decision.ok) return decision;
      const after: Sale = { ...before, ...decision.value, version: before.version + 1, updatedAtMs: Date.now() };
      await tx.query(updateSale(after));
      if (after.audience !== before.audience) await this.members.replace(tx, after);
      await this.auditLog.add(tx, { ...change, subject: id, before: auditedPart(before), after: auditedPart(after) });
      await this.announce(tx, after, row.arm_asks > 0);
      return accept(after);
    });
  }

  /**
   * Asks order to arm these sales: `sale.approved`, and the time of asking. Asking again is harmless.
   * @param nowMs this service's clock
   */
  async askToArm(tx: Transaction, sales: readonly Sale[], nowMs: number): Promise<void> {
    await tx.query('UPDATE sale SET arm_asked_at = $2, arm_asks = arm_asks + 1, held_back_at = NULL WHERE id = ANY($1)', [sales.map((sale) => sale.id), new Date(nowMs)]);
    await this.outbox.add(tx, 'sale.approved', sales.map(saleDocument));
  }

  /** Keeps why an approved sale is not armed. No new version: the other services have nothing to do. */
  async noteArmError(id: string, error: string): Promise<void> {
    await this.database.query("UPDATE sale SET arm_error = $2 WHERE id = $1 AND state = 'APPROVED'", [id, error.replaceAll('\u0000', '').slice(0, 500)]);
  }

  /** An approved sale is announced before it is armed: gateways show what is upcoming. */
  private async announce(tx: Transaction, after: Sale, askedBefore: boolean): Promise<void> {
    if (unpublished.includes(after.state)) return;
    await this.outbox.add(tx, 'sale.changed', [{ saleId: after.id, version: after.version, state: after.state, beforeArming: !askedBefore }]);
  }
}

function cut(rows: SaleRow[], limit: number, key: (row: SaleRow) => string): { sales: Sale[]; next: string | null } {
  let itemCount = 0;
  const fitting = rows.slice(0, limit).filter((row, index) => (itemCount += row.items.length) <= itemsPerPageMax || index === 0);
  const last = fitting.at(-1);
  return { sales: fitting.map(saleOf), next: last && fitting.length < rows.length ? key(last) : null };
}
