import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { isBurnedSql, soldStatesSql, type OrderState } from '../order/order.transitions.js';

/** One item over all lanes: the counters, and the same counted again from the ledger and from the orders. */
export interface ItemRecord {
  itemId: string;
  quota: number;
  allotment: number;
  held: number;
  sold: number;
  burned: number;
  ledger: { allotment: number; held: number; sold: number; burned: number };
  orders: { held: number; sold: number };
}

export interface FreeUnits {
  lane: number;
  itemId: string;
  free: number;
}

/** A reservation whose order and ledger tell different stories. */
export interface Contradiction {
  rid: string;
  itemId: string;
  kind: 'duplicated' | 'unexplained';
  what: string;
}

export interface PaidOrder {
  rid: string;
  state: OrderState;
  amount: number;
  /** Of the payment that stands for it in our own rows, or null; and the order that the provider has it under. */
  paymentId: string | null;
  openedFor: string | null;
}

/** Everything that Postgres says of a sale, at one moment. */
export interface PostgresRecords {
  asOf: Date;
  items: ItemRecord[];
  free: FreeUnits[];
  contradictions: Contradiction[];
  /** Other things that do not add up, in words. */
  faults: string[];
  /** Does each reservation hold its units? One of an operator never does once it is decided. */
  holds: Map<string, boolean>;
  paid: PaidOrder[];
  payments: { captured: number; refunded: number };
  /** Payments whose money is on its way, back to the buyer or to a new order. */
  underWay: Set<string>;
  settling: { outbox: number; closing: number; refunding: number; refunds: number; reacquiring: number; codes: number; stuck: number };
}

/** One reservation's entries of one item. An operation can have each entry once per lane. */
const operations = `
  SELECT operation_id, item_id, count(DISTINCT lane) AS lanes,
    sum(quantity) FILTER (WHERE entry = 'HOLD') AS hold, sum(quantity) FILTER (WHERE entry = 'SELL') AS sell,
    coalesce(sum(quantity) FILTER (WHERE entry = 'RELEASE'), 0) AS released, coalesce(sum(quantity) FILTER (WHERE entry = 'BURN'), 0) AS burned
  FROM ledger WHERE sale_id = $1 AND entry IN ('HOLD', 'SELL', 'RELEASE', 'BURN') GROUP BY operation_id, item_id`;
const orderItems = `
  SELECT o.rid, o.state, i."itemId" AS item_id, i.quantity FROM orders o CROSS JOIN LATERAL jsonb_to_recordset(o.items) AS i("itemId" text, quantity int)
  WHERE o.sale_id = $1`;

@Injectable()
export class PostgresRecordsStore {
  constructor(private readonly database: Database) {}

  /** None: no such sale. */
  async lanes(saleId: string): Promise<number[]> {
    const rows = await this.database.query<{ lane: number }>('SELECT lane FROM lane WHERE sale_id = $1 ORDER BY lane', [saleId]);
    return rows.map((row) => row.lane);
  }

  /** Null: no such sale. */
  async read(saleId: string): Promise<PostgresRecords | null> {
    return this.database.transaction(async (tx) => {
      const items = await this.items(tx, saleId);
      if (items.length === 0) return null;
      const [clock] = await tx.query<{ now: Date }>('SELECT clock_ms() AS now');
      const orders = await tx.query<{ rid: string; holds: boolean }>(`SELECT o.rid, o.state <> 'CLOSED' OR ${isBurnedSql} AS holds FROM orders o WHERE o.sale_id = $1`, [saleId]);
      const takeBacks = await tx.query<{ rid: string }>(
        `SELECT rid FROM stock_change WHERE sale_id = $1 AND state IN ('BOOKED', 'REJECTED') AND reserved_at IS NOT NULL`, [saleId]);
      return {
        asOf: clock!.now, items,
        free: await tx.query<FreeUnits>(
          'SELECT lane, item_id AS "itemId", allotment - held - sold - burned AS free FROM lane_item WHERE sale_id = $1 ORDER BY lane, item_id', [saleId]),
        contradictions: await this.contradictions(tx, saleId), faults: await this.faults(tx, saleId),
        holds: new Map([...orders.map((order): [string, boolean] => [order.rid, order.holds]), ...takeBacks.map(({ rid }): [string, boolean] => [rid, false])]),
        ...(await this.money(tx, saleId)), settling: await this.settling(tx, saleId),
      };
    }, { isolation: 'repeatable read' });
  }

  private async items(tx: Transaction, saleId: string): Promise<ItemRecord[]> {
    return tx.query<ItemRecord>(
      `WITH counters AS (SELECT item_id, sum(allotment) AS allotment, sum(held) AS held, sum(sold) AS sold, sum(burned) AS burned
          FROM lane_item WHERE sale_id = $1 GROUP BY item_id),
        ops AS (${operations}),
        moved AS (SELECT item_id, sum(coalesce(hold, 0) - coalesce(sell, released + burned)) AS held,
          sum(CASE WHEN sell IS NULL THEN 0 ELSE sell - released - burned END) AS sold, sum(burned) AS burned FROM ops GROUP BY item_id),
        stocked AS (SELECT item_id, sum(CASE entry WHEN 'STOCK_IN' THEN quantity ELSE -quantity END) AS allotment
          FROM ledger WHERE sale_id = $1 AND entry IN ('STOCK_IN', 'STOCK_OUT') GROUP BY item_id),
        ordered AS (SELECT item_id, sum(quantity) FILTER (WHERE state IN ('PENDING', 'CLOSING', 'STUCK')) AS held,
          sum(quantity) FILTER (WHERE state IN ${soldStatesSql}) AS sold FROM (${orderItems}) AS oi GROUP BY item_id)
       SELECT i.item_id AS "itemId", i.quota, c.allotment::int, c.held::int, c.sold::int, c.burned::int,
         json_build_object('allotment', coalesce(s.allotment, 0), 'held', coalesce(m.held, 0), 'sold', coalesce(m.sold, 0), 'burned', coalesce(m.burned, 0)) AS ledger,
         json_build_object('held', coalesce(o.held, 0), 'sold', coalesce(o.sold, 0)) AS orders
       FROM sale_item i JOIN counters c USING (item_id) LEFT JOIN moved m USING (item_id) LEFT JOIN stocked s USING (item_id) LEFT JOIN ordered o USING (item_id)
       WHERE i.sale_id = $1 ORDER BY i.item_no`, [saleId]);
  }

  /** Both directions: no order without its entries, no entry without its order; and never more than was ordered. */
  private async contradictions(tx: Transaction, saleId: string): Promise<Contradiction[]> {
    return tx.query<Contradiction>(
      `SELECT coalesce(o.rid, l.operation_id) AS rid, coalesce(o.item_id, l.item_id) AS "itemId",
         CASE WHEN o.rid IS NOT NULL AND (l.lanes > 1 OR l.hold > o.quantity OR l.sell > o.quantity) THEN 'duplicated' ELSE 'unexplained' END AS kind,
         format('order %s of %s, held %s, sold %s, released %s, burned %s',
           coalesce(o.state, 'none'), coalesce(o.quantity, 0), coalesce(l.hold, 0), coalesce(l.sell, 0), coalesce(l.released, 0), coalesce(l.burned, 0)) AS what
       FROM (${orderItems}) AS o FULL JOIN (${operations}) AS l ON l.operation_id = o.rid AND l.item_id = o.item_id
       WHERE o.rid IS NULL OR coalesce(l.lanes, 1) > 1 OR NOT coalesce(CASE
         WHEN o.state IN ('PENDING', 'CLOSING', 'STUCK') THEN l.hold = o.quantity AND l.sell IS NULL AND l.released + l.burned = 0
         WHEN o.state IN ${soldStatesSql} THEN l.hold = o.quantity AND l.sell = o.quantity AND l.released + l.burned = 0
         WHEN l.operation_id IS NULL THEN true
         ELSE l.hold = o.quantity AND coalesce(l.sell, o.quantity) = o.quantity AND l.released + l.burned = o.quantity END, false)
       ORDER BY 1, 2 LIMIT 1000`, [saleId]);
  }

  private async faults(tx: Transaction, saleId: string): Promise<string[]> {
    const usage = await tx.query<{ text: string }>(
      `WITH ordered AS (SELECT o.account_id, i."itemId" AS item_id, i.quantity
          FROM orders o CROSS JOIN LATERAL jsonb_to_recordset(o.items) AS i("itemId" text, quantity int) WHERE o.sale_id = $1 AND (o.state <> 'CLOSED' OR ${isBurnedSql})),
        counted AS (
          SELECT account_id, item_id, sum(quantity) AS units FROM ordered JOIN sale_item s USING (item_id) WHERE s.sale_id = $1 AND s.per_account IS NOT NULL GROUP BY 1, 2
          UNION ALL SELECT account_id, '', sum(quantity) FROM ordered WHERE (SELECT per_account FROM sale WHERE sale_id = $1) IS NOT NULL GROUP BY 1)
       SELECT format('an account uses %s of %s by its limit, but its orders hold %s',
         coalesce(u.units, 0), coalesce(nullif(coalesce(u.item_id, c.item_id), ''), 'the sale'), coalesce(c.units, 0)) AS text
       FROM counted c FULL JOIN (SELECT * FROM account_usage WHERE sale_id = $1) AS u ON u.account_id = c.account_id AND u.item_id = c.item_id
       WHERE coalesce(u.units, 0) <> coalesce(c.units, 0) LIMIT 20`, [saleId]);
    const inventory = await tx.query<{ text: string }>(
      `SELECT format('inventory of %s has %s units taken, but lanes hold and have sold %s', v.sku_id, v.taken, u.units) AS text
       FROM inventory v JOIN (SELECT i.sku_id, sum(l.held + l.sold + l.burned) AS units FROM sale_item i JOIN lane_item l USING (sale_id, item_id)
         WHERE i.sku_id IN (SELECT sku_id FROM sale_item WHERE sale_id = $1) GROUP BY i.sku_id) AS u USING (sku_id)
       WHERE v.taken <> u.units LIMIT 20`, [saleId]);
    return [...usage, ...inventory].map((row) => row.text);
  }

  private async money(tx: Transaction, saleId: string): Promise<Pick<PostgresRecords, 'paid' | 'payments' | 'underWay'>> {
    const paid = await tx.query<PaidOrder>(
      `SELECT o.rid, o.state, o.amount, p.payment_id AS "paymentId", coalesce(p.opened_for, p.rid) AS "openedFor" FROM orders o LEFT JOIN payment p ON p.sale_id = o.sale_id AND p.rid = o.rid AND p.pays
       WHERE o.sale_id = $1 AND o.state IN ${soldStatesSql}`, [saleId]);
    const [payments] = await tx.query<{ captured: number; refunded: number }>(
      `SELECT count(*) FILTER (WHERE state IN ('CAPTURED', 'REFUNDED')) AS captured, count(*) FILTER (WHERE state = 'REFUNDED') AS refunded
       FROM payment WHERE sale_id = $1`, [saleId]);
    const underWay = await tx.query<{ paymentId: string }>(
      `SELECT payment_id AS "paymentId" FROM refund WHERE sale_id = $1 AND state = 'WAITING'
       UNION SELECT payment_id FROM reacquisition WHERE sale_id = $1 AND state = 'WAITING'`, [saleId]);
    return { paid, payments: payments!, underWay: new Set(underWay.map(({ paymentId }) => paymentId)) };
  }

  private async settling(tx: Transaction, saleId: string): Promise<PostgresRecords['settling']> {
    const [row] = await tx.query<PostgresRecords['settling']>(
      `SELECT (SELECT count(*) FROM outbox WHERE strpos(body, '"saleId":"' || $1 || '"') > 0) AS outbox,
         count(*) FILTER (WHERE state = 'CLOSING') AS closing, count(*) FILTER (WHERE state = 'REFUNDING') AS refunding,
         (SELECT count(*) FROM refund WHERE sale_id = $1 AND state = 'WAITING') AS refunds,
         (SELECT count(*) FROM reacquisition WHERE sale_id = $1 AND state = 'WAITING') AS reacquiring,
         (SELECT count(*) FROM code_claim WHERE sale_id = $1 AND state = 'WAITING') AS codes, count(*) FILTER (WHERE state = 'STUCK') AS stuck
       FROM orders WHERE sale_id = $1`, [saleId]);
    return row!;
  }
}
