import type { SettlementDifferenceKind, SettlementDifferenceView } from '@floodgate/contracts';
import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { numbers, texts } from '../ledger/sql-array.js';
import type { MovedMoney } from '../payment-provider/payment-provider.js';

export interface SettlementRow {
  id: string;
  provider: string;
  day: string | null;
  /** `unknown` also for one that says `running` and has been silent for too long: whoever ran it is dead. */
  state: 'running' | 'equal' | 'different' | 'unknown';
  problem: string | null;
  there: number;
  here: number;
  startedAt: Date;
  finishedAt: Date | null;
}

/** A page of differences ends here: the last one's order, payment and kind. */
export type DifferencePlace = [orderId: string, paymentId: string, kind: string];

/** A comparison that says nothing for so long has died with its process. */
const silentMaxSeconds = 300;
/** A day that could not be compared is tried again after this. */
const retrySeconds = 900;
const isSilent = `touched_at < clock_timestamp() - make_interval(secs => ${silentMaxSeconds})`;
const columns = `id, provider, day::text AS day, CASE WHEN state = 'running' AND ${isSilent} THEN 'unknown' ELSE state END AS state,
  CASE WHEN state = 'running' AND ${isSilent} THEN 'it did not end' ELSE problem END AS problem, there, here, started_at AS "startedAt", finished_at AS "finishedAt"`;

/** Comparisons, what they found, and the provider's side while one runs. */
@Injectable()
export class SettlementStore {
  constructor(private readonly database: Database) {}

  async begin(id: string, provider: string, day: string | null): Promise<void> {
    await this.database.query(`INSERT INTO settlement (id, provider, day, trigger, state) VALUES ($1, $2, $3::date, 'asked', 'running')`, [id, provider, day]);
  }

  /** Takes the daily comparison of a day, unless it is done or somebody is at it. */
  async beginDaily(id: string, provider: string, day: string): Promise<boolean> {
    const rows = await this.database.query({
      name: 'settlement-begin-daily',
      text: `INSERT INTO settlement AS s (id, provider, day, trigger, state) VALUES ($1, $2, $3::date, 'daily', 'running')
        ON CONFLICT (provider, day) WHERE trigger = 'daily' DO NOTHING RETURNING id`,
      values: [id, provider, day],
    });
    return rows.length === 1;
  }

  /** Forgets daily comparisons that came to nothing, so that they are begun again. */
  async dropFailedDaily(): Promise<void> {
    await this.database.query({
      name: 'settlement-drop-failed',
      text: `DELETE FROM settlement WHERE trigger = 'daily' AND ((state = 'running' AND ${isSilent})
        OR (state = 'unknown' AND touched_at < clock_timestamp() - make_interval(secs => $1)))`,
      values: [retrySeconds],
    });
  }

  /** Whole days in UTC that are over since an hour, newest first, by the database's clock. */
  async finishedDays(count: number): Promise<string[]> {
    const rows = await this.database.query<{ day: string }>(
      `SELECT (((clock_timestamp() - interval '1 hour') AT TIME ZONE 'UTC')::date - n)::text AS day
       FROM generate_series(1, $1::int) AS n`, [count]);
    return rows.map((row) => row.day);
  }

  /** The provider's entries of one page. */
  async stage(id: string, entries: readonly MovedMoney[]): Promise<void> {
    // A payment may come twice, also within a page; one statement must not touch a row twice.
    const last = [...new Map(entries.map((entry) => [entry.paymentId, entry])).values()];
    await this.database.query({
      name: 'settlement-stage',
      text: `INSERT INTO settlement_entry (settlement_id, payment_id, order_id, currency, captured, refunded)
        SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) AS n
        ON CONFLICT (settlement_id, payment_id) DO UPDATE SET captured = excluded.captured, refunded = excluded.refunded`,
      values: [
        id, texts(last.map((entry) => entry.paymentId)), texts(last.map((entry) => entry.orderId)), texts(last.map((entry) => entry.currency)),
        numbers(last.map((entry) => entry.captured)), numbers(last.map((entry) => entry.refunded)),
      ],
    });
    await this.touch(id);
  }

  async touch(id: string): Promise<void> {
    await this.database.query({ name: 'settlement-touch', text: 'UPDATE settlement SET touched_at = clock_timestamp() WHERE id = $1', values: [id] });
  }

  async record(id: string, differences: readonly SettlementDifferenceView[]): Promise<void> {
    if (differences.length === 0) return;
    await this.database.query({
      name: 'settlement-record',
      text: `INSERT INTO settlement_difference (settlement_id, order_id, payment_id, kind, here, there)
        SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS n ON CONFLICT DO NOTHING`,
      values: [
        id, texts(differences.map((one) => one.orderId)), texts(differences.map((one) => one.paymentId ?? '')), texts(differences.map((one) => one.kind)),
        texts(differences.map((one) => one.here)), texts(differences.map((one) => one.there)),
      ],
    });
  }

  /** Ends it; the staged entries go. `state` follows from what was recorded unless it is said to be unknown. */
  async finish(id: string, counts: { there: number; here: number }, problem: string | null): Promise<void> {
    await this.database.query({
      name: 'settlement-finish',
      text: `WITH gone AS (DELETE FROM settlement_entry WHERE settlement_id = $1)
        UPDATE settlement SET there = $2, here = $3, problem = $4, finished_at = clock_timestamp(), touched_at = clock_timestamp(),
          state = CASE WHEN $4::text IS NOT NULL THEN 'unknown' WHEN EXISTS (SELECT FROM settlement_difference WHERE settlement_id = $1) THEN 'different' ELSE 'equal' END
        WHERE id = $1`,
      values: [id, counts.there, counts.here, problem],
    });
  }

  async find(provider: string, id: string): Promise<SettlementRow | null> {
    const [row] = await this.database.query<SettlementRow>(`SELECT ${columns} FROM settlement WHERE provider = $1 AND id = $2`, [provider, id]);
    return row ?? null;
  }

  async counts(id: string): Promise<Partial<Record<SettlementDifferenceKind, number>>> {
    const rows = await this.database.query<{ kind: SettlementDifferenceKind; count: number }>(
      'SELECT kind, count(*)::int AS count FROM settlement_difference WHERE settlement_id = $1 GROUP BY kind ORDER BY kind', [id]);
    return Object.fromEntries(rows.map(({ kind, count }) => [kind, count]));
  }

  async differences(id: string, after: DifferencePlace, limit: number): Promise<SettlementDifferenceView[]> {
    const rows = await this.database.query<SettlementDifferenceView & { paymentId: string }>(
      `SELECT kind, payment_id AS "paymentId", order_id AS "orderId", here, there FROM settlement_difference
       WHERE settlement_id = $1 AND (order_id, payment_id, kind) > ($2, $3, $4) ORDER BY order_id, payment_id, kind LIMIT $5`, [id, ...after, limit]);
    return rows.map((row) => ({ ...row, paymentId: row.paymentId === '' ? null : row.paymentId }));
  }
}
