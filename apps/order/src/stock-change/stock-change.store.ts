import { reservationId, stockAccount, type StockChangeView, type SyncRow } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** `ASKED`: Redis may hold the units. `REFUSED`: nothing is held, and the key is free again. The others are final. */
export type StockChangeState = 'ASKED' | 'REFUSED' | 'BOOKED' | 'REJECTED';

/** One act of an operator: `delta` above 0 adds units, below 0 takes them back. */
export interface StockChange {
  saleId: string;
  rid: string;
  lane: number;
  itemId: string;
  delta: number;
  accountId: string;
  reason: string;
  state: StockChangeState;
  answer: StockChangeView | null;
}

/** The reservation that holds the units of a take-back in Redis. */
export interface TakenInRedis {
  number: number;
  reservedAtMs: number;
}

/** The sale and its item as a change of stock needs them. */
export interface ItemForChange {
  ridSecret: string;
  lanes: number;
  /** The lane with the most free units. */
  fullestLane: number;
}

export type ItemFacts = Omit<StockChangeView, 'delta' | 'available' | 'itemId'>;

const columns = `sale_id AS "saleId", rid, lane, item_id AS "itemId", delta, account_id AS "accountId", reason, state, answer`;

/** The id of an act: as a reservation's, of a buyer that no account can be. */
export const changeId = (saleId: string, itemId: string, ridSecret: string, accountId: string, key: string): string =>
  reservationId(saleId, ridSecret, `${stockAccount} ${itemId} ${accountId}`, key);

/** Operators' changes of stock, one row per idempotency key. */
@Injectable()
export class StockChangeStore {
  constructor(private readonly database: Database) {}

  /** Null: no such item in a sale that is copied. */
  async item(saleId: string, itemId: string): Promise<ItemForChange | null> {
    const rows = await this.database.query<ItemForChange>(
      `SELECT s.rid_secret AS "ridSecret", s.lanes, l.lane AS "fullestLane" FROM sale s JOIN lane_item l USING (sale_id)
       WHERE s.sale_id = $1 AND l.item_id = $2 ORDER BY l.allotment - l.held - l.sold - l.burned DESC, l.lane LIMIT 1`, [saleId, itemId]);
    return rows[0] ?? null;
  }

  async find(from: Database | Transaction, saleId: string, rid: string): Promise<StockChange | null> {
    const rows = await from.query<StockChange>(`SELECT ${columns} FROM stock_change WHERE sale_id = $1 AND rid = $2`, [saleId, rid]);
    return rows[0] ?? null;
  }

  /** The row, locked; call after the locks of lanes, items and inventory. */
  async lock(tx: Transaction, saleId: string, rid: string): Promise<StockChange | null> {
    const rows = await tx.query<StockChange>(`SELECT ${columns} FROM stock_change WHERE sale_id = $1 AND rid = $2 FOR UPDATE`, [saleId, rid]);
    return rows[0] ?? null;
  }

  /** Writes down what is about to be asked of Redis; a refused act may be asked anew, also for another number. Returns the row that stands then. */
  async ask(change: Omit<StockChange, 'state' | 'answer'>): Promise<StockChange> {
    return this.database.transaction(async (tx) => {
      await this.write(tx, change);
      return (await this.find(tx, change.saleId, change.rid))!;
    });
  }

  /** As {@link ask}, in the caller's transaction, which decides it there and then. */
  async write(tx: Transaction, change: Omit<StockChange, 'state' | 'answer'>): Promise<void> {
    await tx.query(
      `INSERT INTO stock_change AS c (sale_id, rid, lane, item_id, delta, account_id, reason, state) VALUES ($1, $2, $3, $4, $5, $6, $7, 'ASKED')
       ON CONFLICT (sale_id, rid) DO UPDATE SET state = 'ASKED', lane = excluded.lane, delta = excluded.delta, reason = excluded.reason, asked_at = clock_timestamp()
       WHERE c.state = 'REFUSED'`,
      [change.saleId, change.rid, change.lane, change.itemId, change.delta, change.accountId, change.reason]);
  }

  /** Nothing is held for it: the key is free again. A decision that was made meanwhile stays. */
  async refuse(saleId: string, rid: string): Promise<void> {
    await this.database.query(`UPDATE stock_change SET state = 'REFUSED' WHERE sale_id = $1 AND rid = $2 AND state = 'ASKED'`, [saleId, rid]);
  }

  /** For good. `delta` is what Redis held, whatever was asked last. */
  async decide(tx: Transaction, change: StockChange, outcome: { state: 'BOOKED' | 'REJECTED'; answer: StockChangeView | null; taken: TakenInRedis | null }): Promise<void> {
    await tx.query(
      `UPDATE stock_change SET state = $3, delta = $4, answer = $5, number = $6, reserved_at = $7, decided_at = clock_timestamp() WHERE sale_id = $1 AND rid = $2`,
      [change.saleId, change.rid, outcome.state, change.delta, outcome.answer && JSON.stringify(outcome.answer), outcome.taken?.number ?? 0,
        outcome.taken ? new Date(outcome.taken.reservedAtMs) : null]);
  }

  /** Moves the item's quota, and its SKU's inventory where nobody has counted that. Returns the item as it is then, and the quota before. */
  async moveQuota(tx: Transaction, saleId: string, itemId: string, delta: number): Promise<{ item: ItemFacts; quotaBefore: number }> {
    const rows = await tx.query<Omit<ItemFacts, 'price' | 'listPrice'> & { price: number; listPrice: number | null; currency: string }>(
      `UPDATE sale_item i SET quota = i.quota + $3, stock_version = i.stock_version + 1 FROM sale s WHERE s.sale_id = i.sale_id AND i.sale_id = $1 AND i.item_id = $2
       RETURNING i.item_id AS id, i.sku_id AS "skuId", i.title, i.image_url AS "imageUrl", i.kind, i.price::float8 AS price, i.list_price::float8 AS "listPrice", s.currency,
         i.quota, i.per_account AS "perAccount", i.stock_version AS "stockVersion"`, [saleId, itemId, delta]);
    const { currency, price, listPrice, ...rest } = rows[0]!;
    return {
      item: { ...rest, price: { amount: price, currency }, listPrice: listPrice === null ? null : { amount: listPrice, currency } },
      quotaBefore: rest.quota - delta,
    };
  }

  /** The allotment of one lane's item as this transaction leaves it. */
  async allotment(tx: Transaction, saleId: string, lane: number, itemId: string): Promise<{ itemId: string; version: number; allotment: number }> {
    const rows = await tx.query<{ version: number; allotment: number }>(
      'SELECT allotment_version AS version, allotment FROM lane_item WHERE sale_id = $1 AND lane = $2 AND item_id = $3', [saleId, lane, itemId]);
    return { itemId, ...rows[0]! };
  }
}

/** What a decided take-back is to Redis: a reservation that holds nothing any more. */
export function takeBackRow(rid: string, itemId: string, quantity: number, { number, reservedAtMs }: TakenInRedis): SyncRow {
  return { rid, accountId: stockAccount, ipHash: '', items: [{ itemId, quantity }], number, reservedAtMs, version: 1, holds: false, settled: true };
}
