import { randomUUID } from 'node:crypto';
import type { StatementSync } from 'node:sqlite';
import { Injectable } from '@nestjs/common';
import type { Money } from '@floodgate/contracts';
import { Book } from './book.js';
import { dueAction, nextState, noticeOf, type PaymentAction, type PaymentState } from './payment.transitions.js';

export interface Payment {
  paymentId: string;
  orderId: string;
  amount: Money;
  callbackUrl: string;
  returnUrl: string | null;
  secret: string;
  state: PaymentState;
  createdAtMs: number;
  expiresAtMs: number;
  outcome: 'capture' | 'decline' | null;
  settleAtMs: number | null;
  repeat: number;
  settledAtMs: number | null;
  refundId: string | null;
  refundedAtMs: number | null;
}

/** Everything that is fixed when a payment is opened. */
export type NewPayment = Pick<Payment, 'paymentId' | 'orderId' | 'amount' | 'callbackUrl' | 'returnUrl' | 'secret' | 'createdAtMs' | 'expiresAtMs'>;

const columns = `payment_id AS paymentId, order_id AS orderId, amount, currency, callback_url AS callbackUrl, return_url AS returnUrl, secret, state,
  created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs, outcome, settle_at_ms AS settleAtMs, repeat, settled_at_ms AS settledAtMs,
  refund_id AS refundId, refunded_at_ms AS refundedAtMs`;
const dueAt = 'min(expires_at_ms, coalesce(settle_at_ms, expires_at_ms))';

type Row = Omit<Payment, 'amount'> & { amount: number; currency: string };
const toPayment = ({ currency, ...row }: Row): Payment => ({ ...row, amount: { amount: row.amount, currency } });

/**
 * Payments and the notices they are worth. Everything that writes must be called inside `Book.write`:
 * a payment's new state and its notice are one commit.
 */
@Injectable()
export class PaymentStore {
  private readonly insert: StatementSync;
  private readonly select: StatementSync;
  private readonly selectDue: StatementSync;
  private readonly selectNextDue: StatementSync;
  private readonly selectPage: StatementSync;
  private readonly update: StatementSync;
  private readonly insertNotice: StatementSync;

  constructor(book: Book) {
    this.insert = book.prepare(`INSERT INTO payment (payment_id, order_id, amount, currency, callback_url, return_url, secret, state, created_at_ms, expires_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?) ON CONFLICT DO NOTHING`);
    this.select = book.prepare(`SELECT ${columns} FROM payment WHERE payment_id = ?`);
    this.selectDue = book.prepare(`SELECT ${columns} FROM payment WHERE state = 'open' AND ${dueAt} <= ? ORDER BY ${dueAt} LIMIT ?`);
    this.selectNextDue = book.prepare(`SELECT min(${dueAt}) AS dueAtMs FROM payment WHERE state = 'open'`);
    this.selectPage = book.prepare(`SELECT ${columns} FROM payment WHERE order_id >= ? AND order_id < ? AND (order_id, payment_id) > (?, ?)
      ORDER BY order_id, payment_id LIMIT ?`);
    this.update = book.prepare(`UPDATE payment SET state = ?, outcome = ?, settle_at_ms = ?, repeat = ?, settled_at_ms = ?, refund_id = ?, refunded_at_ms = ? WHERE payment_id = ?`);
    this.insertNotice = book.prepare('INSERT INTO notice (id, payment_id, callback_url, body, owed, next_at_ms) VALUES (?, ?, ?, ?, ?, ?)');
  }

  /** Opens a payment unless its id is known, and answers what then stands in the book. */
  open(payment: NewPayment): Payment {
    const { amount, currency } = payment.amount;
    this.insert.run(payment.paymentId, payment.orderId, amount, currency, payment.callbackUrl, payment.returnUrl, payment.secret, payment.createdAtMs, payment.expiresAtMs);
    const found = this.find(payment.paymentId);
    if (!found) throw new Error(`payment ${payment.paymentId} is neither new nor known`);
    return found;
  }

  find(paymentId: string): Payment | null {
    const row = this.select.get(paymentId);
    return row ? toPayment(row as unknown as Row) : null;
  }

  /** Open payments for which a decision or the expiry is due, oldest first. */
  due(nowMs: number, limit: number): Payment[] {
    return this.selectDue.all(nowMs, limit).map((row) => toPayment(row as unknown as Row));
  }

  /** When the next open payment is due, or null. */
  nextDueMs(): number | null {
    return (this.selectNextDue.get() as { dueAtMs: number | null } | undefined)?.dueAtMs ?? null;
  }

  /** Payments whose order id starts with `orderPrefix`, after the given one, by order and payment id. */
  page(orderPrefix: string, after: { orderId: string; paymentId: string }, limit: number): Payment[] {
    return this.selectPage.all(orderPrefix, `${orderPrefix}\u{10ffff}`, after.orderId, after.paymentId, limit).map((row) => toPayment(row as unknown as Row));
  }

  /** Applies what time has done to the payment since, and answers it as it stands now. */
  advance(payment: Payment, nowMs: number): Payment {
    const due = dueAction(payment, nowMs);
    return due ? this.apply(payment, due.action, due.atMs) : payment;
  }

  /** Notes the buyer's decision; it takes effect when it is due. The first decision stands. */
  decide(payment: Payment, outcome: 'capture' | 'decline', settleAtMs: number, repeat: number): Payment {
    if (payment.state !== 'open' || payment.outcome !== null) return payment;
    return this.save({ ...payment, outcome, settleAtMs, repeat });
  }

  /** Moves the payment if the table allows it, with its notice; else answers it unchanged. */
  apply(payment: Payment, action: PaymentAction, atMs: number, refundId: string | null = null): Payment {
    const state = nextState(payment.state, action);
    if (state === null) return payment;
    const settled = payment.state === 'open';
    const moved = this.save({
      ...payment,
      state,
      settledAtMs: settled ? atMs : payment.settledAtMs,
      ...(action === 'refund' ? { refundId, refundedAtMs: atMs } : {}),
    });
    // The extra notices were asked for with the buyer's decision, so a refund or an expiry is told once.
    const repeat = action === 'capture' || action === 'decline' ? payment.repeat : 0;
    this.owe(moved, atMs, 1 + repeat);
    return moved;
  }

  private owe(payment: Payment, atMs: number, owed: number): void {
    const type = noticeOf[payment.state];
    if (type === null) return;
    const { paymentId, orderId, amount } = payment;
    const body = { id: `ev-${randomUUID()}`, type, paymentId, orderId, amount, occurredAt: new Date(atMs).toISOString() };
    this.insertNotice.run(body.id, paymentId, payment.callbackUrl, JSON.stringify(body), owed, atMs);
  }

  private save(payment: Payment): Payment {
    this.update.run(payment.state, payment.outcome, payment.settleAtMs, payment.repeat, payment.settledAtMs, payment.refundId, payment.refundedAtMs, payment.paymentId);
    return payment;
  }
}
