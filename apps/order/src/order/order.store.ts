import { saleOfReservation, type ReleaseReason } from '@floodgate/contracts';
import { Batcher, Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { numbers, texts } from '../ledger/sql-array.js';
import { orderColumns, type OrderRow } from './order.row.js';
import type { OrderState } from './order.transitions.js';

interface Step {
  saleId: string;
  rids: readonly string[];
  from: readonly OrderState[];
  to: OrderState;
  reason?: ReleaseReason;
}

/**
 * Order rows: reads them, inserts them, and takes them from state to state. Every step is a compare-and-set that raises the version;
 * what a step means for units, inventory and messages is the saga's business (place-order/purchase.saga.ts).
 */
@Injectable()
export class OrderStore {
  /** Buyers look at their orders all at once; together they cost one round trip. */
  private readonly finder = new Batcher<{ saleId: string; rid: string }, OrderRow | null>((wanted) => this.findAll(wanted), { sizeMax: 256, batchesInFlightMax: 2 });

  constructor(private readonly database: Database) {}

  /** The order, whatever its state, or null. `accountId` given: only if it is that account's. */
  async find(rid: string, accountId?: string): Promise<OrderRow | null> {
    const saleId = saleOfReservation(rid);
    if (saleId === null) return null;
    const row = await this.finder.ask({ saleId, rid });
    return row && (accountId === undefined || row.accountId === accountId) ? row : null;
  }

  /** The order, its row locked until the transaction ends. Takes no other lock: not for what moves units. */
  async lock(tx: Transaction, rid: string): Promise<OrderRow | null> {
    const saleId = saleOfReservation(rid);
    return saleId === null ? null : ((await this.lockAll(tx, saleId, [rid]))[0] ?? null);
  }

  /** The orders of one sale, by id, their rows locked until the transaction ends: the last locks of the one order. */
  async lockAll(tx: Transaction, saleId: string, rids: readonly string[]): Promise<OrderRow[]> {
    return tx.query<OrderRow>({
      name: 'orders-lock',
      text: `SELECT ${orderColumns} FROM orders o WHERE o.sale_id = $1 AND o.rid = ANY($2) ORDER BY o.rid FOR UPDATE`,
      values: [saleId, texts(rids)],
    });
  }

  /** The orders of one sale as committed, nothing locked. */
  async read(tx: Transaction, saleId: string, rids: readonly string[]): Promise<OrderRow[]> {
    return tx.query<OrderRow>({
      name: 'orders-read', text: `SELECT ${orderColumns} FROM orders o WHERE o.sale_id = $1 AND o.rid = ANY($2)`, values: [saleId, texts(rids)],
    });
  }

  /**
   * Inserts new rows (version 1) of one sale, made at one moment. Throws if one of them exists: the caller holds the lane's lock and has
   * looked, so this is a bug, and writing the rest would record units for an order that is not there.
   */
  async insert(tx: Transaction, orders: readonly OrderRow[]): Promise<void> {
    const [first] = orders;
    if (!first) return;
    await tx.query({
      name: 'orders-insert',
      text: `INSERT INTO orders (sale_id, currency, created_at, updated_at, rid, lane, account_id, ip_hash, number, items, state, reason, amount, pay_by, reserved_at)
        SELECT $1, $2, $3, $3, n.rid, n.lane, n.account_id, n.ip_hash, n.number, n.items, n.state, n.reason, n.amount,
          CASE WHEN n.pay_by_ms > 0 THEN to_timestamp(n.pay_by_ms / 1000) END, to_timestamp(n.reserved_at_ms / 1000)
        FROM unnest($4::text[], $5::int[], $6::text[], $7::text[], $8::bigint[], $9::jsonb[], $10::text[], $11::text[], $12::bigint[], $13::float8[], $14::float8[])
          AS n (rid, lane, account_id, ip_hash, number, items, state, reason, amount, pay_by_ms, reserved_at_ms)`,
      values: [
        first.saleId, first.currency, first.createdAt, texts(orders.map((o) => o.rid)), numbers(orders.map((o) => o.lane)),
        texts(orders.map((o) => o.accountId)), texts(orders.map((o) => o.ipHash)), numbers(orders.map((o) => o.number)),
        texts(orders.map((o) => JSON.stringify(o.items))), texts(orders.map((o) => o.state)), texts(orders.map((o) => o.reason)),
        numbers(orders.map((o) => o.amount)), numbers(orders.map((o) => o.payBy?.getTime() ?? 0)), numbers(orders.map((o) => o.reservedAt.getTime())),
      ],
    });
  }

  /**
   * PENDING → CLOSING with the reason it will be closed for: nobody may start a payment any more, the units are still held.
   * Returns those that made the step; others are left as they are.
   */
  async startClosing(tx: Transaction, saleId: string, rids: readonly string[], reason: ReleaseReason): Promise<OrderRow[]> {
    return this.move(tx, { saleId, rids, from: ['PENDING'], to: 'CLOSING', reason });
  }

  /** PAID → FULFILLED: what was paid for is in the buyer's hands. Returns those that made the step; the caller announces them (order.fulfilled). */
  async fulfil(tx: Transaction, saleId: string, rids: readonly string[]): Promise<OrderRow[]> {
    return this.move(tx, { saleId, rids, from: ['PAID'], to: 'FULFILLED' });
  }

  /**
   * → REFUNDING: the units stay sold until the money is back (then PurchaseSaga.closeOrders). What was handed over already is only
   * refunded by who says so in `from`. Returns those that made the step.
   */
  async startRefunding(
    tx: Transaction, saleId: string, rids: readonly string[], reason: ReleaseReason, from: readonly ('PAID' | 'FULFILLED')[] = ['PAID'],
  ): Promise<OrderRow[]> {
    return this.move(tx, { saleId, rids, from, to: 'REFUNDING', reason });
  }

  /** → CLOSED. A reason that the row carries already (it was on its way out) wins. For the saga: moves no units by itself. */
  async close(tx: Transaction, saleId: string, rids: readonly string[], reason: ReleaseReason): Promise<OrderRow[]> {
    return this.move(tx, { saleId, rids, from: ['PENDING', 'CLOSING', 'STUCK', 'REFUNDING'], to: 'CLOSED', reason });
  }

  /** → PAID. For the saga: moves no units by itself. */
  async pay(tx: Transaction, saleId: string, rids: readonly string[]): Promise<OrderRow[]> {
    return this.move(tx, { saleId, rids, from: ['PENDING', 'CLOSING'], to: 'PAID' });
  }

  /** STUCK → PENDING: the parked order is judged after all, and its time to pay begins. */
  async unpark(tx: Transaction, saleId: string, rids: readonly string[], payBy: Date): Promise<OrderRow[]> {
    if (rids.length === 0) return [];
    return tx.query<OrderRow>(
      `UPDATE orders o SET state = 'PENDING', version = version + 1, updated_at = clock_ms(), pay_by = $3
       WHERE o.sale_id = $1 AND o.rid = ANY($2) AND o.state = 'STUCK' RETURNING ${orderColumns}`, [saleId, texts(rids), payBy]);
  }

  private async move(tx: Transaction, step: Step): Promise<OrderRow[]> {
    if (step.rids.length === 0) return [];
    return tx.query<OrderRow>({
      name: 'orders-move',
      text: `WITH locked AS (SELECT sale_id, rid FROM orders WHERE sale_id = $1 AND rid = ANY($2) AND state = ANY($3) ORDER BY rid FOR UPDATE)
        UPDATE orders o SET state = $4, version = o.version + 1, updated_at = clock_ms(),
          reason = CASE WHEN $4 = 'PAID' THEN NULL ELSE coalesce(o.reason, $5) END,
          paid_at = CASE WHEN $4 = 'PAID' THEN clock_ms() ELSE o.paid_at END,
          closing_since = CASE WHEN $4 IN ('CLOSING', 'REFUNDING') THEN clock_ms() WHEN $4 = 'PAID' THEN NULL ELSE o.closing_since END,
          next_attempt_at = CASE WHEN $4 IN ('CLOSING', 'REFUNDING') THEN clock_ms() END, close_attempts = 0
        FROM locked WHERE o.sale_id = locked.sale_id AND o.rid = locked.rid RETURNING ${orderColumns}`,
      values: [step.saleId, texts(step.rids), step.from, step.to, step.reason ?? null],
    });
  }

  /** Answers in the order asked; null where there is no such row. */
  private async findAll(wanted: readonly { saleId: string; rid: string }[]): Promise<(OrderRow | null)[]> {
    const rows = await this.database.query<OrderRow>({
      name: 'orders-find',
      text: `SELECT ${orderColumns} FROM orders o JOIN unnest($1::text[], $2::text[]) AS w (sale_id, rid) ON o.sale_id = w.sale_id AND o.rid = w.rid`,
      values: [texts(wanted.map((one) => one.saleId)), texts(wanted.map((one) => one.rid))],
    });
    const found = new Map(rows.map((row) => [row.rid, row]));
    return wanted.map(({ rid }) => found.get(rid) ?? null);
  }
}
