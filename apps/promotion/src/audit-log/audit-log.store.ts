import { Injectable } from '@nestjs/common';
import type { AuditLogEntryView } from '@floodgate/contracts';
import { Database, isoTime, type Transaction } from '@floodgate/platform';

/** The account that stands in the log for what the platform did by itself. */
export const platformAccount = 'system';

export interface AuditEntry {
  /** Who did it; {@link platformAccount} where nobody did. */
  accountId: string;
  action: string;
  /** What it was done to: the id of a sale, an account, a dead letter. */
  subject: string;
  reason: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** An entry that comes from elsewhere, and may come again. */
export interface ToldEntry extends AuditEntry {
  sourceId: string;
  atMs: number;
}

/** Who did what, with the values before and after: written in the transaction of the change itself, never changed. */
@Injectable()
export class AuditLogStore {
  constructor(private readonly database: Database) {}

  /** Of two states only the top-level members that differ are kept; a creation (`before` null) is kept whole. */
  async add(tx: Transaction, entry: AuditEntry): Promise<void> {
    const { before, after } = differences(entry.before, entry.after);
    await tx.query(
      'INSERT INTO audit_log (account_id, action, subject, reason, before, after) VALUES ($1, $2, $3, $4, $5, $6)',
      [entry.accountId, entry.action, entry.subject, entry.reason, before && JSON.stringify(before), after && JSON.stringify(after)],
    );
  }

  /** Takes an entry from elsewhere, once for each `sourceId`. */
  async noteTold(entry: ToldEntry, from: Transaction | Database = this.database): Promise<void> {
    const { before, after } = differences(entry.before, entry.after);
    await from.query(
      `INSERT INTO audit_log (source_id, at, account_id, action, subject, reason, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (source_id) DO NOTHING`,
      [entry.sourceId, new Date(entry.atMs), entry.accountId, entry.action, entry.subject, entry.reason, storable(before), storable(after)],
    );
  }

  /**
   * Newest first.
   * @param before id after which the page starts (a `next` of an earlier page), or null
   */
  async page(before: string | null, limit: number): Promise<{ items: AuditLogEntryView[]; next: string | null }> {
    const rows = await this.database.query<EntryRow>(pageSql, [before, limit + 1]);
    const shown = rows.slice(0, limit);
    return { items: shown.map(viewOf), next: rows.length > limit ? String(shown.at(-1)?.id) : null };
  }
}

interface EntryRow extends Omit<AuditEntry, 'accountId'> {
  id: number;
  at: Date;
  account_id: string;
  hash: string;
  intact: boolean;
}

const pageSql = `
SELECT a.id, a.at, a.account_id, a.action, a.subject, a.reason, a.before, a.after, a.hash,
  a.hash = audit_log_hash((SELECT p.hash FROM audit_log p WHERE p.id < a.id ORDER BY p.id DESC LIMIT 1), a) AS intact
FROM audit_log a WHERE $1::bigint IS NULL OR a.id < $1 ORDER BY a.id DESC LIMIT $2`;

const viewOf = ({ id, at, account_id: accountId, action, subject, reason, before, after, hash, intact }: EntryRow): AuditLogEntryView =>
  ({ id: String(id), at: isoTime(at.getTime()), accountId, action, subject, reason, before, after, hash, intact });

/** Postgres takes no U+0000 in json; what other services say of themselves must be noted all the same. */
const storable = (value: Record<string, unknown> | null): string | null => value && JSON.stringify(value).replaceAll('\\u0000', '\\ufffd');

/** The members of two objects that are not equal as JSON. */
export function differences(before: AuditEntry['before'], after: AuditEntry['after']): Pick<AuditEntry, 'before' | 'after'> {
  if (!before || !after) return { before, after };
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const only = (from: Record<string, unknown>) => Object.fromEntries(changed.filter((name) => name in from).map((name) => [name, from[name]]));
  return { before: only(before), after: only(after) };
}
