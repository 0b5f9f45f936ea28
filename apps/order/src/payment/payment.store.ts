import type { Money } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { OrderState } from '../order/order.transitions.js';
import { livePaymentStates, type PaymentState } from './payment-race.js';
import type { PaymentOrder } from './payment-provider.js';

/** One row of `payment`. `amount` in minor units of `currency`. */
export interface PaymentRow {
  paymentId: string;
  saleId: string;
  rid: string;
  provider: string;
  amount: number;
  currency: string;
  state: PaymentState;
  redirectUrl: string | null;
  returnUrl: string | null;
  expiresAt: Date;
  /** The order stands for this payment's money. */
  pays: boolean;
}

/** A payment and where its order stands, as one statement saw them. */
export interface PaymentStanding {
  state: PaymentState;
  pays: boolean;
  orderState: OrderState;
  saleWithdrawn: boolean;
}

const columns = `p.payment_id AS "paymentId", p.sale_id AS "saleId", p.rid, p.provider, p.amount::float8 AS amount, p.currency, p.state,
  p.redirect_url AS "redirectUrl", p.return_url AS "returnUrl", p.expires_at AS "expiresAt", p.pays`;
const live = `p.state IN (${livePaymentStates.map((state) => `'${state}'`).join(', ')})`;

export const moneyOf = (row: { amount: number; currency: string }): Money => ({ amount: row.amount, currency: row.currency });

/** What the provider needs to open this payment (again). */
export const paymentOrderOf = (row: PaymentRow): PaymentOrder => ({
  paymentId: row.paymentId, orderId: row.rid, amount: moneyOf(row), returnUrl: row.returnUrl, expiresAtMs: row.expiresAt.getTime(),
});

@Injectable()
export class PaymentStore {
  constructor(private readonly database: Database) {}

  /** The payment with the lane of its order, or null. */
  async find(paymentId: string): Promise<(PaymentRow & { lane: number }) | null> {
    const rows = await this.database.query<PaymentRow & { lane: number }>({
      name: 'payment-find',
      text: `SELECT ${columns}, o.lane FROM payment p JOIN orders o USING (sale_id, rid) WHERE p.payment_id = $1`,
      values: [paymentId],
    });
    return rows[0] ?? null;
  }

  /** The order's live payment, or null; in a transaction that has locked the order, it stays so. */
  async liveOf(tx: Transaction, saleId: string, rid: string): Promise<PaymentRow | null> {
    const rows = await tx.query<PaymentRow>({
      name: 'payment-live', text: `SELECT ${columns} FROM payment p WHERE p.sale_id = $1 AND p.rid = $2 AND ${live}`, values: [saleId, rid],
    });
    return rows[0] ?? null;
  }

  /** Live payments of these orders (of any sale). */
  async liveOfMany(orders: readonly { saleId: string; rid: string }[]): Promise<PaymentRow[]> {
    return this.database.query<PaymentRow>({
      name: 'payment-live-many',
      text: `SELECT ${columns} FROM payment p JOIN unnest($1::text[], $2::text[]) AS w (sale_id, rid) USING (sale_id, rid) WHERE ${live}`,
      values: [orders.map((order) => order.saleId), orders.map((order) => order.rid)],
    });
  }

  /**
   * Writes the payment down before the provider hears of it: a crash in between leaves something to close.
   * False, and nothing written: `expiresAt` has passed by the database's clock, which is the one that closes orders.
   */
  async insert(tx: Transaction, row: Omit<PaymentRow, 'state' | 'redirectUrl' | 'pays'>): Promise<boolean> {
    const rows = await tx.query({
      name: 'payment-insert',
      text: `INSERT INTO payment (payment_id, sale_id, rid, provider, amount, currency, state, return_url, expires_at)
        SELECT $1, $2, $3, $4, $5::bigint, $6, 'STARTING', $7, $8::timestamptz WHERE clock_timestamp() < $8::timestamptz RETURNING payment_id`,
      values: [row.paymentId, row.saleId, row.rid, row.provider, row.amount, row.currency, row.returnUrl, row.expiresAt],
    });
    return rows.length > 0;
  }

  /** STARTING → OPEN. False where the payment is no longer STARTING: somebody else opened it, or it is over. */
  async opened(tx: Transaction, paymentId: string, redirectUrl: string): Promise<boolean> {
    const rows = await tx.query({
      name: 'payment-opened',
      text: `UPDATE payment SET state = 'OPEN', redirect_url = $2, updated_at = clock_timestamp() WHERE payment_id = $1 AND state = 'STARTING' RETURNING payment_id`,
      values: [paymentId, redirectUrl],
    });
    return rows.length > 0;
  }

  /** Was it opened, and nothing happened to it since that a buyer would call closed? */
  async isOpen(tx: Transaction, paymentId: string): Promise<boolean> {
    const rows = await tx.query({ name: 'payment-is-open', text: `SELECT 1 FROM payment WHERE payment_id = $1 AND state IN ('OPEN', 'CAPTURED')`, values: [paymentId] });
    return rows.length > 0;
  }

  /** Call it under the lane's lock, so that what it answers stays true (but for STARTING → OPEN). */
  async standing(tx: Transaction, paymentId: string): Promise<PaymentStanding> {
    const rows = await tx.query<PaymentStanding>({
      name: 'payment-standing',
      text: `SELECT p.state, p.pays, o.state AS "orderState", s.state = 'WITHDRAWN' AS "saleWithdrawn"
        FROM payment p JOIN orders o USING (sale_id, rid) JOIN sale s USING (sale_id) WHERE p.payment_id = $1`,
      values: [paymentId],
    });
    if (!rows[0]) throw new Error(`payment ${paymentId} has no order`);
    return rows[0];
  }

  /** Moves a payment on from the state it was seen in; throws where it moved meanwhile, so that the transaction is done again. */
  async move(tx: Transaction, paymentId: string, from: PaymentState, to: PaymentState, pays: boolean): Promise<void> {
    const seen: readonly PaymentState[] = livePaymentStates.some((state) => state === from) ? livePaymentStates : [from];
    const rows = await tx.query({
      name: 'payment-move',
      text: 'UPDATE payment SET state = $2, pays = $3, updated_at = clock_timestamp() WHERE payment_id = $1 AND state = ANY($4) RETURNING payment_id',
      values: [paymentId, to, pays, seen],
    });
    if (rows.length === 0) throw new Error(`payment ${paymentId} is ${from} no longer`);
  }

  /** Live payments of orders that end are closed with them. */
  async closeLive(tx: Transaction, orders: readonly { saleId: string; rid: string }[]): Promise<void> {
    if (orders.length === 0) return;
    await tx.query({
      name: 'payment-close-live',
      text: `UPDATE payment p SET state = 'CLOSED', updated_at = clock_timestamp()
        FROM unnest($1::text[], $2::text[]) AS w (sale_id, rid) WHERE p.sale_id = w.sale_id AND p.rid = w.rid AND ${live}`,
      values: [orders.map((order) => order.saleId), orders.map((order) => order.rid)],
    });
  }

  /** Open payments whose notice is overdue, each taken for a while so that two pollers do not ask for the same one. */
  async takeUnanswered(limit: number, againAfterSeconds: number): Promise<PaymentRow[]> {
    return this.database.query<PaymentRow>({
      name: 'payment-take-unanswered',
      text: `UPDATE payment p SET next_ask_at = clock_timestamp() + make_interval(secs => $2) FROM (
          SELECT payment_id FROM payment WHERE state = 'OPEN' AND next_ask_at <= clock_timestamp() ORDER BY next_ask_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ) AS due WHERE p.payment_id = due.payment_id RETURNING ${columns}`,
      values: [limit, againAfterSeconds],
    });
  }
}
