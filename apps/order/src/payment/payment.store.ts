import type { Money, ReleaseReason, SaleDocument } from '@floodgate/contracts';
import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { texts } from '../ledger/sql-array.js';
import type { OrderState } from '../order/order.transitions.js';
import { livePaymentStates, type PaymentState } from './payment-race.js';
import type { PaymentOrder } from '../payment-provider/payment-provider.js';

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
  /** The order that the provider knows it by, where its money stands for another one now; null: `rid` itself. */
  openedFor: string | null;
}

/** A payment with the lane of its order. */
export type KnownPayment = PaymentRow & { lane: number };

/** One payment's step; `from` is the state it was seen in. */
export interface PaymentMove {
  paymentId: string;
  from: PaymentState;
  to: PaymentState;
  pays: boolean;
}

/** A payment and where its order stands, as one statement saw them. */
export interface PaymentStanding {
  paymentId: string;
  state: PaymentState;
  pays: boolean;
  rid: string;
  orderState: OrderState;
  orderReason: ReleaseReason | null;
  latePayment: SaleDocument['latePayment'];
  saleWithdrawn: boolean;
}

const columns = `p.payment_id AS "paymentId", p.sale_id AS "saleId", p.rid, p.provider, p.amount::float8 AS amount, p.currency, p.state,
  p.redirect_url AS "redirectUrl", p.return_url AS "returnUrl", p.expires_at AS "expiresAt", p.pays, p.opened_for AS "openedFor"`;
const live = `p.state IN (${livePaymentStates.map((state) => `'${state}'`).join(', ')})`;

export const moneyOf = (row: { amount: number; currency: string }): Money => ({ amount: row.amount, currency: row.currency });

/** What the provider needs to open this payment (again). */
export const paymentOrderOf = (row: PaymentRow): PaymentOrder => ({
  paymentId: row.paymentId, orderId: row.openedFor ?? row.rid, amount: moneyOf(row), returnUrl: row.returnUrl, expiresAtMs: row.expiresAt.getTime(),
});

@Injectable()
export class PaymentStore {
  constructor(private readonly database: Database) {}

  /** The payments with these ids, in their order; null for one that we do not have. */
  async findAll(paymentIds: readonly string[]): Promise<(KnownPayment | null)[]> {
    const rows = await this.database.query<KnownPayment>({
      name: 'payment-find',
      text: `SELECT ${columns}, o.lane FROM payment p JOIN orders o USING (sale_id, rid) WHERE p.payment_id = ANY($1)`,
      values: [texts(paymentIds)],
    });
    const found = new Map(rows.map((row) => [row.paymentId, row]));
    return paymentIds.map((paymentId) => found.get(paymentId) ?? null);
  }

  /** Live payments of these orders (of any sale); in a transaction that has locked the orders, they stay so. */
  async liveOf(from: Database | Transaction, orders: readonly { saleId: string; rid: string }[]): Promise<PaymentRow[]> {
    return from.query<PaymentRow>({
      name: 'payment-live',
      text: `SELECT ${columns} FROM payment p JOIN unnest($1::text[], $2::text[]) AS w (sale_id, rid) USING (sale_id, rid) WHERE ${live}`,
      values: [texts(orders.map((order) => order.saleId)), texts(orders.map((order) => order.rid))],
    });
  }

  /**
   * Writes payments down before the provider hears of them: a crash in between leaves something to close. Answers the ids of those written;
   * not written is one whose `expiresAt` has passed by the database's clock, which is the one that closes orders.
   */
  async insert(tx: Transaction, rows: readonly PaymentRow[]): Promise<Set<string>> {
    if (rows.length === 0) return new Set();
    const written = await tx.query<{ paymentId: string }>({
      name: 'payment-insert',
      text: `INSERT INTO payment (payment_id, sale_id, rid, provider, amount, currency, return_url, expires_at, state)
        SELECT n.*, 'STARTING' FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::timestamptz[])
          AS n (payment_id, sale_id, rid, provider, amount, currency, return_url, expires_at)
        WHERE clock_timestamp() < n.expires_at RETURNING payment_id AS "paymentId"`,
      values: [
        texts(rows.map((row) => row.paymentId)), texts(rows.map((row) => row.saleId)), texts(rows.map((row) => row.rid)), texts(rows.map((row) => row.provider)),
        rows.map((row) => row.amount), texts(rows.map((row) => row.currency)), texts(rows.map((row) => row.returnUrl)), texts(rows.map((row) => row.expiresAt.toISOString())),
      ],
    });
    return new Set(written.map((row) => row.paymentId));
  }

  /** STARTING → OPEN. Answers the ids of those opened by this call; others were opened by somebody else, or are over. */
  async opened(tx: Transaction, payments: readonly { paymentId: string; redirectUrl: string }[]): Promise<Set<string>> {
    if (payments.length === 0) return new Set();
    const rows = await tx.query<{ paymentId: string }>({
      name: 'payment-opened',
      text: `UPDATE payment p SET state = 'OPEN', redirect_url = n.redirect_url, updated_at = clock_timestamp()
        FROM unnest($1::text[], $2::text[]) AS n (payment_id, redirect_url) WHERE p.payment_id = n.payment_id AND p.state = 'STARTING' RETURNING p.payment_id AS "paymentId"`,
      values: [texts(payments.map((payment) => payment.paymentId)), texts(payments.map((payment) => payment.redirectUrl))],
    });
    return new Set(rows.map((row) => row.paymentId));
  }

  /** Which of these were opened, with nothing happened to them since that a buyer would call closed? */
  async areOpen(tx: Transaction, paymentIds: readonly string[]): Promise<Set<string>> {
    if (paymentIds.length === 0) return new Set();
    const rows = await tx.query<{ paymentId: string }>({
      name: 'payment-are-open',
      text: `SELECT payment_id AS "paymentId" FROM payment WHERE payment_id = ANY($1) AND state IN ('OPEN', 'CAPTURED')`, values: [texts(paymentIds)],
    });
    return new Set(rows.map((row) => row.paymentId));
  }

  /** By payment id. Call it under the lane's lock, so that what it answers stays true (but for STARTING → OPEN). */
  async standings(tx: Transaction, paymentIds: readonly string[]): Promise<Map<string, PaymentStanding>> {
    const rows = await tx.query<PaymentStanding>({
      name: 'payment-standings',
      text: `SELECT p.payment_id AS "paymentId", p.state, p.pays, p.rid, o.state AS "orderState", o.reason AS "orderReason",
          s.late_payment AS "latePayment", s.state = 'WITHDRAWN' AS "saleWithdrawn"
        FROM payment p JOIN orders o USING (sale_id, rid) JOIN sale s USING (sale_id) WHERE p.payment_id = ANY($1)`,
      values: [texts(paymentIds)],
    });
    return new Map(rows.map((row) => [row.paymentId, row]));
  }

  /** Moves payments on from the states they were seen in; throws where one moved meanwhile, so that the transaction is done again. */
  async move(tx: Transaction, moves: readonly PaymentMove[]): Promise<void> {
    if (moves.length === 0) return;
    const rows = await tx.query({
      name: 'payment-move',
      text: `UPDATE payment p SET state = m.next, pays = m.pays::boolean, updated_at = clock_timestamp()
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS m (payment_id, seen, next, pays)
        WHERE p.payment_id = m.payment_id AND (p.state = m.seen OR (m.seen = 'STARTING' AND p.state = 'OPEN')) RETURNING p.payment_id`,
      values: [texts(moves.map((move) => move.paymentId)), texts(moves.map((move) => move.from)), texts(moves.map((move) => move.to)), texts(moves.map((move) => String(move.pays)))],
    });
    if (rows.length < moves.length) throw new Error(`${moves.length - rows.length} of ${moves.length} payments are no longer what they were`);
  }

  /** Captured money that no order stands for becomes another order's of the same price. False: it is not such money, nothing was written. */
  async takeOver(tx: Transaction, paymentId: string, order: { rid: string; amount: number; currency: string }): Promise<boolean> {
    const rows = await tx.query(
      `UPDATE payment SET opened_for = coalesce(opened_for, rid), rid = $2, pays = true, updated_at = clock_timestamp()
       WHERE payment_id = $1 AND state = 'CAPTURED' AND NOT pays AND amount = $3 AND currency = $4
         AND NOT EXISTS (SELECT FROM refund r WHERE r.payment_id = payment.payment_id) RETURNING payment_id`,
      [paymentId, order.rid, order.amount, order.currency]);
    return rows.length > 0;
  }

  /** Live payments of orders that end are closed with them. */
  async closeLive(tx: Transaction, orders: readonly { saleId: string; rid: string }[]): Promise<void> {
    if (orders.length === 0) return;
    await tx.query({
      name: 'payment-close-live',
      text: `UPDATE payment p SET state = 'CLOSED', updated_at = clock_timestamp()
        FROM unnest($1::text[], $2::text[]) AS w (sale_id, rid) WHERE p.sale_id = w.sale_id AND p.rid = w.rid AND ${live}`,
      values: [texts(orders.map((order) => order.saleId)), texts(orders.map((order) => order.rid))],
    });
  }

  /** The names of the providers of a sale's payments. */
  async providersOf(saleId: string): Promise<string[]> {
    const rows = await this.database.query<{ provider: string }>({
      name: 'payment-providers', text: 'SELECT DISTINCT provider FROM payment WHERE sale_id = $1', values: [saleId],
    });
    return rows.map((row) => row.provider);
  }
}
