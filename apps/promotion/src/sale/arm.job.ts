import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Database } from '@floodgate/platform';
import { armAgainAfterMs, armLeadMs } from './arm-time.js';
import { saleOf, selectSaleSql, type SaleRow } from './sale.rows.js';
import { SaleStore } from './sale.store.js';

/**
 * Asks order to arm approved sales whose time has come, and asks again until they are armed: whatever is lost on the way,
 * here or there, the next asking heals. Any number of instances may run; each sale is claimed by one of them.
 */
@Injectable()
export class ArmJob {
  private readonly logger = new Logger(ArmJob.name);
  private running = false;

  constructor(private readonly database: Database, private readonly sales: SaleStore) {}

  @Interval(1_000)
  async tick(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      await this.armDue();
    } catch (error) {
      // The database is away: the next tick finds the same sales due.
      this.logger.warn(`Due sales could not be looked up: ${String(error)}`);
    } finally {
      this.running = false;
    }
  }

  /**
   * Claims what is due, a few at a time since a sale may be a megabyte, and asks for it.
   * @returns the ids of the sales asked for
   */
  async armDue(nowMs = Date.now()): Promise<string[]> {
    return this.database.transaction(async (tx) => {
      const rows = await tx.query<SaleRow>(dueSql, [new Date(nowMs), new Date(nowMs + armLeadMs)]);
      if (rows.length === 0) return [];
      const silent = rows.filter((row) => row.arm_asks > 0 && row.arm_error === null).map((row) => row.id);
      if (silent.length > 0) await tx.query('UPDATE sale SET arm_error = $2 WHERE id = ANY($1)', [silent, silenceNote]);
      await this.sales.askToArm(tx, rows.map(saleOf), nowMs);
      return rows.map((row) => row.id);
    });
  }
}

const silenceNote = 'Nobody has confirmed the arming yet; it was asked for again.';

// The wait of the n-th asking is armAgainAfterMs(n), spelled out for the ones that differ.
const waits = [1, 2, 3, 4].map((asks) => `WHEN ${asks} THEN interval '${armAgainAfterMs(asks)} milliseconds'`).join(' ');
const dueSql = `${selectSaleSql}
WHERE state = 'APPROVED' AND opens_at <= $2 AND closes_at > $1
  AND (arm_asked_at IS NULL OR arm_asked_at <= $1::timestamptz - CASE arm_asks ${waits} ELSE interval '${armAgainAfterMs(5)} milliseconds' END)
ORDER BY opens_at LIMIT 5 FOR UPDATE SKIP LOCKED`;
