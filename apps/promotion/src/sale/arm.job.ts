import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Database } from '@floodgate/platform';
import { armAgainAfterMs, armLeadMs, checkAgainAfterMs } from './arm-time.js';
import { PreflightFacts } from './preflight.facts.js';
import { armFault, rowsOf } from './preflight.js';
import type { Sale } from './sale.entity.js';
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

  constructor(private readonly database: Database, private readonly sales: SaleStore, private readonly facts: PreflightFacts) {}

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
   * Looks at what is due, a few at a time since a sale may be a megabyte, and asks for what its checklist lets pass. What it holds back
   * says why, and is looked at again soon. The checklist asks other services, so nothing is locked meanwhile; what changed is left alone.
   * @param nowMs Postgres's clock unless given: a process whose own is fast would take sales for ended that are not
   * @returns the ids of the sales asked for
   */
  async armDue(nowMs?: number): Promise<string[]> {
    return this.armDueAt(nowMs ?? (await this.database.query<{ atMs: number }>(clockSql))[0]!.atMs);
  }

  private async armDueAt(nowMs: number): Promise<string[]> {
    const due = await this.database.query<SaleRow>(`${dueSql} ORDER BY opens_at LIMIT 5`, dueTimes(nowMs));
    if (due.length === 0) return [];
    const faults = new Map(await Promise.all(due.map(async (row) => [row.id, await this.faultOf(saleOf(row), nowMs)] as const)));
    const versions = new Map(due.map((row) => [row.id, row.version]));
    return this.database.transaction(async (tx) => {
      const rows = await tx.query<SaleRow>(`${dueSql} AND id = ANY($3) ORDER BY id FOR UPDATE SKIP LOCKED`, [...dueTimes(nowMs), due.map((row) => row.id)]);
      const same = rows.filter((row) => versions.get(row.id) === row.version);
      for (const { id } of same) await tx.query(faults.get(id) ? holdBackSql : passSql, faults.get(id) ? [id, faults.get(id), new Date(nowMs)] : [id, silenceNote]);
      const passed = same.filter((row) => faults.get(row.id) === null);
      if (passed.length > 0) await this.sales.askToArm(tx, passed.map(saleOf), nowMs);
      return passed.map((row) => row.id);
    });
  }

  private async faultOf(sale: Sale, nowMs: number): Promise<string | null> {
    return armFault(rowsOf(sale, await this.facts.gather(sale), nowMs, ({ when }) => when === 'before'))?.slice(0, 500) ?? null;
  }
}

const clockSql = `SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "atMs"`;
const silenceNote = 'Nobody has confirmed the arming yet; it was asked for again.';

// The wait of the n-th asking is armAgainAfterMs(n), spelled out for the ones that differ.
const waits = [1, 2, 3, 4].map((asks) => `WHEN ${asks} THEN interval '${armAgainAfterMs(asks)} milliseconds'`).join(' ');
const dueSql = `${selectSaleSql}
WHERE state = 'APPROVED' AND opens_at <= $2 AND closes_at > $1
  AND (held_back_at IS NULL OR held_back_at <= $1::timestamptz - interval '${checkAgainAfterMs} milliseconds')
  AND (arm_asked_at IS NULL OR arm_asked_at <= $1::timestamptz - CASE arm_asks ${waits} ELSE interval '${armAgainAfterMs(5)} milliseconds' END)`;
const dueTimes = (nowMs: number): Date[] => [new Date(nowMs), new Date(nowMs + armLeadMs)];
const holdBackSql = 'UPDATE sale SET arm_error = $2, held_back_at = $3 WHERE id = $1';
// What held it back is past; of an asking that nobody answered, that is said.
const passSql = `UPDATE sale SET arm_error = CASE WHEN arm_error IS NULL AND arm_asks > 0 THEN $2 WHEN held_back_at IS NULL THEN arm_error END WHERE id = $1`;
