import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** A live sale's units, over all items and lanes. */
export interface SaleUnits {
  saleId: string;
  quota: number;
  allotment: number;
  held: number;
  sold: number;
  burned: number;
  /** Units promised beyond an item's quota, or beyond a lane's allotment. The database refuses them; this counts them all the same. */
  oversold: number;
}

export interface ServerSigns {
  /** By how much the oldest unpaid order is past its time to pay; 0 if none is. */
  closeLagSeconds: number;
  /** Of the oldest transaction of this database, as far as this account sees. */
  oldestTransactionSeconds: number;
  nowMs: number;
}

/** A sale's last orders are paid or closed well within this after its end; then its series end too. */
const shownAfterCloseMs = 3_600_000;
/** Series are bounded, however many sales there are at once. */
const salesMax = 50;

/** What the gauges show of Postgres: counters and ends of indexes, nothing that grows with the number of orders. */
@Injectable()
export class StockGaugeStore {
  constructor(private readonly database: Database) {}

  async liveSales(): Promise<SaleUnits[]> {
    return this.database.query<SaleUnits>({
      name: 'gauge-live-sales',
      text: `WITH live AS (
          SELECT sale_id FROM sale WHERE armed AND state NOT IN ('ENDED', 'WITHDRAWN') AND closes_at_ms > extract(epoch FROM clock_timestamp()) * 1000 - $1
          ORDER BY closes_at_ms, sale_id LIMIT $2),
        per_item AS (
          SELECT l.sale_id, l.item_id, sum(l.allotment) AS allotment, sum(l.held) AS held, sum(l.sold) AS sold, sum(l.burned) AS burned,
            sum(greatest(0, l.held + l.sold + l.burned - l.allotment)) AS over_lane
          FROM live JOIN lane_item l USING (sale_id) GROUP BY l.sale_id, l.item_id)
        SELECT sale_id AS "saleId", sum(i.quota)::float8 AS quota, sum(p.allotment)::float8 AS allotment, sum(p.held)::float8 AS held,
          sum(p.sold)::float8 AS sold, sum(p.burned)::float8 AS burned,
          sum(greatest(p.over_lane, p.held + p.sold + p.burned - i.quota, 0))::float8 AS oversold
        FROM per_item p JOIN sale_item i USING (sale_id, item_id) GROUP BY sale_id`,
      values: [shownAfterCloseMs, salesMax],
    });
  }

  async signs(): Promise<ServerSigns> {
    const rows = await this.database.query<ServerSigns>({
      name: 'gauge-signs',
      text: `SELECT greatest(0, extract(epoch FROM clock_timestamp() - (SELECT min(pay_by) FROM orders WHERE state = 'PENDING')))::float8 AS "closeLagSeconds",
          (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend') AS "oldestTransactionSeconds",
          (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs"`,
    });
    return rows[0]!;
  }
}
