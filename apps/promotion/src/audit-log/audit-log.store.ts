import { Injectable } from '@nestjs/common';
import type { Transaction } from '@floodgate/platform';

/** The account that stands in the log for what the platform did by itself. */
export const platformAccount = 'platform';

export interface AuditEntry {
  /** Who did it; {@link platformAccount} where nobody did. */
  accountId: string;
  action: string;
  /** What it was done to: the id of a sale. */
  subject: string;
  reason: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** Who did what, with the values before and after: written in the transaction of the change itself, never changed. */
@Injectable()
export class AuditLogStore {
  /** Of two states only the top-level members that differ are kept; a creation (`before` null) is kept whole. */
  async add(tx: Transaction, entry: AuditEntry): Promise<void> {
    const { before, after } = differences(entry.before, entry.after);
    await tx.query(
      'INSERT INTO audit_log (account_id, action, subject, reason, before, after) VALUES ($1, $2, $3, $4, $5, $6)',
      [entry.accountId, entry.action, entry.subject, entry.reason, before && JSON.stringify(before), after && JSON.stringify(after)],
    );
  }
}

/** The members of two objects that are not equal as JSON. */
export function differences(before: AuditEntry['before'], after: AuditEntry['after']): Pick<AuditEntry, 'before' | 'after'> {
  if (!before || !after) return { before, after };
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const only = (from: Record<string, unknown>) => Object.fromEntries(changed.filter((name) => name in from).map((name) => [name, from[name]]));
  return { before: only(before), after: only(after) };
}
