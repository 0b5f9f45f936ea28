import { Injectable } from '@nestjs/common';
import { accept, refuse, type Block, type BlockView, type Outcome } from '@floodgate/contracts';
import { Database, isoTime, Outbox, type Transaction } from '@floodgate/platform';
import { AuditLogStore } from '../audit-log/audit-log.store.js';

const pageMax = 5_000;

interface BlockRow {
  account_id: string;
  version: number;
  blocked: boolean;
  reason: string | null;
  until: Date | null;
  actor: string;
  blocked_at: Date;
}

export interface NewBlock {
  accountId: string;
  reason: string | null;
  /** Null: until somebody lifts it. */
  untilMs: number | null;
  actor: string;
}

/** Accounts that may not buy. Each change is one transaction: the row, the audit log, and the event that tells the gateways. */
@Injectable()
export class BlockListStore {
  constructor(private readonly database: Database, private readonly auditLog: AuditLogStore, private readonly outbox: Outbox) {}

  /** The account's block, or null if it has none that holds now. */
  async find(accountId: string): Promise<BlockView | null> {
    const [row] = await this.database.query<BlockRow>(`${selectSql} WHERE account_id = $1 AND ${holdsSql}`, [accountId]);
    return row ? viewOf(row) : null;
  }

  async block(entry: NewBlock): Promise<BlockView> {
    return this.database.transaction((tx) => this.blockIn(tx, entry));
  }

  /** Blocks, or changes a block, in a transaction of the caller's. */
  async blockIn(tx: Transaction, { accountId, reason, untilMs, actor }: NewBlock): Promise<BlockView> {
    const before = await this.lock(tx, accountId);
    const [row] = await tx.query<BlockRow>(
      `INSERT INTO block_list (account_id, version, blocked, reason, until, actor, blocked_at)
       SELECT $1, ${nextVersionSql}, true, $2, $3, $4, clock_timestamp()
       ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, blocked = true, reason = excluded.reason, until = excluded.until,
         actor = excluded.actor, blocked_at = excluded.blocked_at
       RETURNING *`, [accountId, reason, untilMs === null ? null : new Date(untilMs), actor]);
    const after = viewOf(row!);
    await this.auditLog.add(tx, { accountId: actor, action: 'block', subject: accountId, reason, before: before && { ...before }, after: { ...after } });
    await this.tell(tx, row!);
    return after;
  }

  /** `NOT_FOUND` where no block holds. */
  async lift(accountId: string, actor: string): Promise<Outcome<null>> {
    return this.database.transaction(async (tx) => {
      const before = await this.lock(tx, accountId);
      if (!before) return refuse('NOT_FOUND', 'This account is not blocked.');
      const [row] = await tx.query<BlockRow>(`UPDATE block_list SET blocked = false, version = ${nextVersionSql} WHERE account_id = $1 RETURNING *`, [accountId]);
      await this.auditLog.add(tx, { accountId: actor, action: 'unblock', subject: accountId, reason: null, before: { ...before }, after: null });
      await this.tell(tx, row!);
      return accept(null);
    });
  }

  /** Changes after this version, oldest first. */
  async changes(after: number): Promise<{ entries: Block[]; more: boolean }> {
    const rows = await this.database.query<BlockRow>(
      `${selectSql} WHERE version > $1 AND ($1 > 0 OR ${holdsSql}) ORDER BY version LIMIT $2`, [after, pageMax + 1]);
    return { entries: rows.slice(0, pageMax).map(entryOf), more: rows.length > pageMax };
  }

  /**
   * One change at a time, over all accounts: versions are committed in their order, and whoever has read up to one has missed none before it.
   * @returns the block that holds now
   */
  private async lock(tx: Transaction, accountId: string): Promise<BlockView | null> {
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('block list of ' || current_schema(), 0))");
    const [row] = await tx.query<BlockRow>(`${selectSql} WHERE account_id = $1 AND ${holdsSql}`, [accountId]);
    return row ? viewOf(row) : null;
  }

  private async tell(tx: Transaction, row: BlockRow): Promise<void> {
    await this.outbox.add(tx, 'block-list.changed', [{ entries: [entryOf(row)] }]);
  }
}

const selectSql = 'SELECT account_id, version, blocked, reason, until, actor, blocked_at FROM block_list';
const holdsSql = '(blocked AND (until IS NULL OR until > clock_timestamp()))';
const nextVersionSql = '(SELECT coalesce(max(version), 0) + 1 FROM block_list)';

const entryOf = (row: BlockRow): Block => ({ accountId: row.account_id, version: row.version, blocked: row.blocked, untilMs: row.until?.getTime() ?? null });

const viewOf = (row: BlockRow): BlockView => ({
  accountId: row.account_id, reason: row.reason, until: row.until && isoTime(row.until.getTime()), actor: row.actor, blockedAt: isoTime(row.blocked_at.getTime()),
});
