import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { packCursor, unpackCursor } from './cursor.js';
import { orderColumns, type OrderRow } from './order.row.js';
import type { ItemFacts, Replacement } from './order.views.js';

export interface OrderPage {
  orders: OrderRow[];
  nextCursor: string | null;
}

/** One entry of the ledger as an explanation shows it. */
export interface ExplainedEntry {
  at: Date;
  itemId: string;
  entry: string;
  quantity: number;
  freeAfter: number;
}

/** Later than any row (the year 5138), within what Postgres and JavaScript both can say. */
const endOfTimeMs = 1e14;

/** Pages of orders, and what stands behind them. Every list goes on from the last row it gave, so new rows do not shift it. */
@Injectable()
export class OrderListStore {
  constructor(private readonly database: Database) {}

  /** An account's orders, newest first; `invalid-cursor` where the cursor is not one of ours. */
  async ofAccount(accountId: string, saleId: string | null, page: { limit: number; cursor: string | null }): Promise<OrderPage | 'invalid-cursor'> {
    const after = page.cursor === null ? [endOfTimeMs, ''] : unpackCursor(page.cursor, 2);
    if (!after || typeof after[0] !== 'number' || !Number.isSafeInteger(after[0])) return 'invalid-cursor';
    const orders = await this.database.query<OrderRow>(
      `SELECT ${orderColumns} FROM orders o
       WHERE o.account_id = $1 AND ($2::text IS NULL OR o.sale_id = $2) AND (o.created_at, o.rid) < (to_timestamp($3::float8 / 1000), $4)
       ORDER BY o.created_at DESC, o.rid DESC LIMIT $5`,
      [accountId, saleId, Math.min(after[0], endOfTimeMs), String(after[1]), page.limit + 1]);
    return pageOf(orders, page.limit, (order) => packCursor([order.createdAt.getTime(), order.rid]));
  }

  /** A sale's orders by id: the only order that costs no index on the hot table. */
  async ofSale(saleId: string, page: { limit: number; cursor: string | null }): Promise<OrderPage | 'invalid-cursor'> {
    const after = page.cursor === null ? [''] : unpackCursor(page.cursor, 1);
    if (!after) return 'invalid-cursor';
    const orders = await this.database.query<OrderRow>(
      `SELECT ${orderColumns} FROM orders o WHERE o.sale_id = $1 AND o.rid > $2 ORDER BY o.rid LIMIT $3`, [saleId, String(after[0]), page.limit + 1]);
    return pageOf(orders, page.limit, (order) => packCursor([order.rid]));
  }

  /** Title, SKU and price of every item in these orders, by item id (unique across sales: it begins with the sale's). */
  async itemFacts(orders: readonly OrderRow[]): Promise<Map<string, ItemFacts>> {
    const wanted = new Map(orders.flatMap((order) => order.items.map((item) => [item.itemId, order.saleId])));
    const rows = await this.database.query<ItemFacts & { itemId: string }>(
      `SELECT i.item_id AS "itemId", i.sku_id AS "skuId", i.title, i.price::float8 AS price FROM sale_item i
       JOIN unnest($1::text[], $2::text[]) AS w (sale_id, item_id) USING (sale_id, item_id)`, [[...wanted.values()], [...wanted.keys()]]);
    return new Map(rows.map((row) => [row.itemId, row]));
  }

  /** Orders that a late payment has bought in the place of these, and those that these replace; by id. */
  async replacements(orders: readonly OrderRow[]): Promise<Map<string, Replacement>> {
    const rows = await this.database.query<{ rid: string; newRid: string }>({
      name: 'order-replacements',
      text: `WITH wanted AS (SELECT * FROM unnest($1::text[], $2::text[]) AS w (sale_id, rid))
        SELECT r.rid, r.new_rid AS "newRid" FROM reacquisition r JOIN wanted w ON r.sale_id = w.sale_id AND r.rid = w.rid WHERE r.state = 'REACQUIRED'
        UNION SELECT r.rid, r.new_rid FROM reacquisition r JOIN wanted w ON r.sale_id = w.sale_id AND r.new_rid = w.rid WHERE r.state = 'REACQUIRED'`,
      values: [orders.map((order) => order.saleId), orders.map((order) => order.rid)],
    });
    const found = new Map<string, Replacement>();
    for (const { rid, newRid } of rows) {
      found.set(rid, { ...found.get(rid), replacedBy: newRid });
      found.set(newRid, { ...found.get(newRid), replaces: rid });
    }
    return found;
  }

  /** What the ledger says of one reservation, oldest first. */
  async entriesOf(order: OrderRow): Promise<ExplainedEntry[]> {
    return this.database.query<ExplainedEntry>(
      `SELECT at, item_id AS "itemId", entry, quantity, free_after AS "freeAfter" FROM ledger
       WHERE sale_id = $1 AND operation_id = $2 ORDER BY seq`, [order.saleId, order.rid]);
  }

  /** Free units of each of the order's items in its lane when it was judged; by item id. Reads the sale's ledger: for the few that ask why. */
  async freeWhenJudged(order: OrderRow): Promise<Map<string, number>> {
    const rows = await this.database.query<{ itemId: string; free: number }>(
      `SELECT DISTINCT ON (item_id) item_id AS "itemId", free_after AS free FROM ledger
       WHERE sale_id = $1 AND lane = $2 AND item_id = ANY($3) AND at <= $4 ORDER BY item_id, seq DESC`,
      [order.saleId, order.lane, order.items.map((item) => item.itemId), order.createdAt]);
    return new Map(rows.map((row) => [row.itemId, row.free]));
  }
}

function pageOf(rows: OrderRow[], limit: number, cursorOf: (last: OrderRow) => string): OrderPage {
  const orders = rows.slice(0, limit);
  return { orders, nextCursor: rows.length > limit ? cursorOf(orders.at(-1)!) : null };
}
