import type { ReportView } from '@floodgate/contracts';
import { Database, isoTime } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

interface Counts {
  reserved: number;
  ordered: number;
  paid: number;
  open: number;
  released: number;
  amount: number;
}

interface Percentiles {
  orderedP50: number | null;
  orderedP99: number | null;
  paidP50: number | null;
  paidP99: number | null;
}

/** A flash sale is over after that, but for the payments that time out. */
const secondsMax = 600;

/** How a sale went, from its orders and ledger. */
@Injectable()
export class ReportStore {
  constructor(private readonly database: Database) {}

  /** `currency` is the sale's. Milliseconds in `percentiles`; one is left out where nothing came so far. */
  async read(saleId: string, currency: string): Promise<ReportView> {
    const [counts, reasons, items, times, seconds] = await Promise.all([this.counts(saleId), this.reasons(saleId), this.soldOut(saleId), this.times(saleId), this.perSecond(saleId)]);
    const { amount, ...funnel } = counts;
    const measured = Object.entries({
      'reservation to order p50 ms': times.orderedP50, 'reservation to order p99 ms': times.orderedP99,
      'order to payment p50 ms': times.paidP50, 'order to payment p99 ms': times.paidP99,
    }).filter((entry): entry is [string, number] => entry[1] !== null);
    return {
      saleId, funnel: { ...funnel, ...reasons }, soldOutAt: lastOf(items), amount: { amount, currency },
      percentiles: Object.fromEntries(measured.map(([name, ms]) => [name, Math.round(ms)])), items, ...seconds,
    };
  }

  private async counts(saleId: string): Promise<Counts> {
    const rows = await this.database.query<Counts>(
      `SELECT count(*) AS reserved, count(pay_by) AS ordered, count(*) FILTER (WHERE state IN ('PAID', 'FULFILLED')) AS paid,
         count(*) FILTER (WHERE state IN ('PENDING', 'CLOSING', 'STUCK')) AS open, count(*) FILTER (WHERE state = 'CLOSED') AS released,
         coalesce(sum(amount) FILTER (WHERE state IN ('PAID', 'FULFILLED')), 0)::bigint AS amount FROM orders WHERE sale_id = $1`, [saleId]);
    return rows[0]!;
  }

  private async reasons(saleId: string): Promise<Record<string, number>> {
    const rows = await this.database.query<{ reason: string; count: number }>(
      `SELECT reason, count(*) AS count FROM orders WHERE sale_id = $1 AND state = 'CLOSED' GROUP BY reason`, [saleId]);
    return Object.fromEntries(rows.map((row) => [row.reason, row.count]));
  }

  /** When each item had no free unit left in any lane for the first time. */
  private async soldOut(saleId: string): Promise<ReportView['items']> {
    const rows = await this.database.query<{ itemId: string; at: Date | null }>(
      `SELECT item_id AS "itemId", CASE WHEN bool_and(first_zero IS NOT NULL) THEN max(first_zero) END AS at FROM (
         SELECT l.item_id, min(e.at) AS first_zero FROM lane_item l LEFT JOIN ledger e
           ON e.sale_id = l.sale_id AND e.lane = l.lane AND e.item_id = l.item_id AND e.free_after = 0 AND e.entry = 'HOLD'
         WHERE l.sale_id = $1 AND l.allotment > 0 GROUP BY l.lane, l.item_id) AS lanes GROUP BY item_id ORDER BY item_id`, [saleId]);
    return rows.map(({ itemId, at }) => ({ itemId, soldOutAt: at ? isoTime(at.getTime()) : null }));
  }

  private async perSecond(saleId: string): Promise<Pick<ReportView, 'startedAt' | 'perSecond'>> {
    const rows = await this.database.query<ReportView['perSecond'][number] & { startedAt: Date }>(
      `WITH mine AS (SELECT * FROM orders WHERE sale_id = $1), start AS (SELECT date_trunc('second', min(reserved_at)) AS at FROM mine),
         happened AS (
           SELECT reserved_at AS at, 'reserved' AS what FROM mine
           UNION ALL SELECT created_at, 'ordered' FROM mine WHERE pay_by IS NOT NULL
           UNION ALL SELECT paid_at, 'paid' FROM mine WHERE state IN ('PAID', 'FULFILLED')
           UNION ALL SELECT updated_at, 'released' FROM mine WHERE state = 'CLOSED')
       SELECT start.at AS "startedAt", floor(extract(epoch FROM h.at - start.at))::int AS second, count(*) FILTER (WHERE what = 'reserved')::int AS reserved,
         count(*) FILTER (WHERE what = 'ordered')::int AS ordered, count(*) FILTER (WHERE what = 'paid')::int AS paid, count(*) FILTER (WHERE what = 'released')::int AS released
       FROM happened h, start WHERE h.at >= start.at AND h.at < start.at + make_interval(secs => ${secondsMax}) GROUP BY 1, 2 ORDER BY 2`, [saleId]);
    return { startedAt: rows[0] ? isoTime(rows[0].startedAt.getTime()) : null, perSecond: rows.map(({ startedAt: _, ...row }) => row) };
  }

  private async times(saleId: string): Promise<Percentiles> {
    const rows = await this.database.query<Percentiles>(
      `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ordered) AS "orderedP50", percentile_cont(0.99) WITHIN GROUP (ORDER BY ordered) AS "orderedP99",
         percentile_cont(0.5) WITHIN GROUP (ORDER BY paid) AS "paidP50", percentile_cont(0.99) WITHIN GROUP (ORDER BY paid) AS "paidP99"
       FROM (SELECT (extract(epoch FROM created_at - reserved_at) * 1000)::float8 AS ordered, (extract(epoch FROM paid_at - created_at) * 1000)::float8 AS paid
         FROM orders WHERE sale_id = $1 AND pay_by IS NOT NULL) AS times`, [saleId]);
    return rows[0]!;
  }
}

/** When the last item was sold out; null while one never was. */
function lastOf(items: ReportView['items']): string | null {
  const times = items.flatMap(({ soldOutAt }) => soldOutAt ?? []).toSorted();
  return times.length === items.length ? times.at(-1) ?? null : null;
}
