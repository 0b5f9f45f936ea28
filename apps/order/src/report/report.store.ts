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

/** How a sale went, from its orders and ledger. */
@Injectable()
export class ReportStore {
  constructor(private readonly database: Database) {}

  /** `currency` is the sale's. Milliseconds in `percentiles`; one is left out where nothing came so far. */
  async read(saleId: string, currency: string): Promise<ReportView> {
    const [counts, reasons, soldOut, times] = await Promise.all([this.counts(saleId), this.reasons(saleId), this.soldOutAt(saleId), this.times(saleId)]);
    const { amount, ...funnel } = counts;
    const measured = Object.entries({
      'reservation to order p50 ms': times.orderedP50, 'reservation to order p99 ms': times.orderedP99,
      'order to payment p50 ms': times.paidP50, 'order to payment p99 ms': times.paidP99,
    }).filter((entry): entry is [string, number] => entry[1] !== null);
    return {
      saleId, funnel: { ...funnel, ...reasons }, soldOutAt: soldOut ? isoTime(soldOut.getTime()) : null, amount: { amount, currency },
      percentiles: Object.fromEntries(measured.map(([name, ms]) => [name, Math.round(ms)])),
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

  /** When the last item had no free unit left for the first time; null while one never had. */
  private async soldOutAt(saleId: string): Promise<Date | null> {
    const rows = await this.database.query<{ at: Date | null }>(
      `SELECT CASE WHEN bool_and(first_zero IS NOT NULL) THEN max(first_zero) END AS at FROM (
         SELECT min(e.at) AS first_zero FROM lane_item l LEFT JOIN ledger e
           ON e.sale_id = l.sale_id AND e.lane = l.lane AND e.item_id = l.item_id AND e.free_after = 0 AND e.entry = 'HOLD'
         WHERE l.sale_id = $1 AND l.allotment > 0 GROUP BY l.lane, l.item_id) AS items`, [saleId]);
    return rows[0]?.at ?? null;
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
