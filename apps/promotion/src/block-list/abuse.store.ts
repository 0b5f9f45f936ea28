import { Injectable } from '@nestjs/common';
import type { Ask } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { AuditLogStore, platformAccount } from '../audit-log/audit-log.store.js';
import { SwitchStore } from '../switches/switch.store.js';
import { BlockListStore } from './block-list.store.js';

/** Within which time the attempts that no honest client makes are counted; how many are too many, and how long the block lasts, are switches. */
const countedMs = 10 * 60_000;

/** Reports are remembered for longer than a gateway repeats one. */
const reportKeptMinutes = 10;

/** What gateways refused: attempts at admin operations go to the audit log, repeated abuse leads to the block list. */
@Injectable()
export class AbuseStore {
  constructor(private readonly database: Database, private readonly auditLog: AuditLogStore, private readonly blockList: BlockListStore, private readonly switches: SwitchStore) {}

  /** @returns false: this report was taken before */
  async take({ reportId, forbidden, abuses }: Ask<'report-refusals'>): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const first = await tx.query('INSERT INTO refusal_report (report_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1', [reportId]);
      if (first.length === 0) return false;
      // Accounts in one order, and the log last: two reports, or a report and an operator who blocks, do not lock each other out.
      for (const abuse of abuses.toSorted((a, b) => compare(a.accountId, b.accountId) || compare(a.saleId, b.saleId))) await this.count(tx, abuse);
      for (const { accountId, operation, path, count, firstMs, lastMs } of forbidden) {
        const after = { path, count, firstAt: new Date(firstMs).toISOString(), lastAt: new Date(lastMs).toISOString() };
        await this.auditLog.add(tx, { accountId, action: 'refused', subject: operation, reason: 'FORBIDDEN', before: null, after });
      }
      return true;
    });
  }

  /** Drops what has passed. */
  async prune(): Promise<void> {
    await this.database.query(`DELETE FROM abuse WHERE since <= clock_timestamp() - interval '${countedMs} milliseconds'`);
    await this.database.query(`DELETE FROM refusal_report WHERE at < clock_timestamp() - interval '${reportKeptMinutes} minutes'`);
  }

  private async count(tx: Transaction, { accountId, saleId, count }: Ask<'report-refusals'>['abuses'][number]): Promise<void> {
    const [row] = await tx.query<{ attempts: number; now: Date }>(countSql, [accountId, saleId, count]);
    const { attempts, now } = row!;
    const { 'block-list.forged-attempts-max': attemptsMax, 'block-list.block-minutes': minutes } = await this.switches.valuesIn(tx);
    // Only the report that crosses the threshold blocks: what comes after it finds the account blocked.
    if (attemptsMax === 0 || attempts <= attemptsMax || attempts - count > attemptsMax) return;
    await this.blockList.blockIn(tx, {
      accountId, reason: `${attempts} forged attempts in sale ${saleId}`, untilMs: now.getTime() + minutes * 60_000, actor: platformAccount,
    });
  }
}

const expiredSql = `abuse.since <= clock_timestamp() - interval '${countedMs} milliseconds'`;
const countSql = `
INSERT INTO abuse (account_id, sale_id, attempts, since) VALUES ($1, $2, $3, clock_timestamp())
ON CONFLICT (account_id, sale_id) DO UPDATE SET
  attempts = CASE WHEN ${expiredSql} THEN excluded.attempts ELSE least(abuse.attempts + excluded.attempts, 1000000000) END,
  since = CASE WHEN ${expiredSql} THEN excluded.since ELSE abuse.since END
RETURNING attempts, clock_timestamp() AS now`;

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
