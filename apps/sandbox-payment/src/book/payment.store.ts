import { randomUUID } from 'node:crypto';
import type { StatementSync } from 'node:sqlite';
import { Injectable } from '@nestjs/common';
import type { Money } from '@floodgate/contracts';
import { drawLies } from '../callback/lies.js';
import { Misbehaviour } from '../misbehaviour/misbehaviour.js';
import { Book } from './book.js';
import { NoticeStore } from './notice.store.js';
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
  /** When a payment that was closed is captured all the same. */
  lateCaptureAtMs: number | null;
  refundFailures: number;
}

/** Everything that is fixed when a payment is opened. */
export type NewPayment = Pick<Payment, 'paymentId' | 'orderId' | 'amount' | 'callbackUrl' | 'returnUrl' | 'secret' | 'createdAtMs' | 'expiresAtMs'>;

const columns = `payment_id AS paymentId, order_id AS orderId, amount, currency, callback_url AS callbackUrl, return_url AS returnUrl, secret, state,
  created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs, outcome, settle_at_ms AS settleAtMs, repeat, settled_at_ms AS settledAtMs,
  refund_id AS refundId, refunded_at_ms AS refundedAtMs, late_capture_at_ms AS lateCaptureAtMs, refund_failures AS refundFailures`;
const dueAt = 'min(expires_at_ms, coalesce(settle_at_ms, expires_at_ms))';

/** Payments whose money moved from one moment (epoch milliseconds, included) until another. */
export interface MovedWithin {
  fromMs: number;
  untilMs: number;
}

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
  private readonly selectMoved: StatementSync;
  private readonly selectLate: StatementSync;
  private readonly selectNextLate: StatementSync;

  constructor(book: Book, private readonly notices: NoticeStore, private readonly misbehaviour: Misbehaviour) {
    this.insert = book.prepare(`INSERT INTO payment (payment_id, order_id, amount, currency, callback_url, return_url, secret, state, created_at_ms, expires_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?) ON CONFLICT DO NOTHING`);
    this.select = book.prepare(`SELECT ${columns} FROM payment WHERE payment_id = ?`);
    this.selectDue = book.prepare(`SELECT ${columns} FROM payment WHERE state = 'open' AND ${dueAt} <= ? ORDER BY ${dueAt} LIMIT ?`);
    this.selectNextDue = book.prepare(`SELECT min(${dueAt}) AS dueAtMs FROM payment WHERE state = 'open'`);
    this.selectPage = book.prepare(`SELECT ${columns} FROM payment WHERE order_id >= ? AND order_id < ? AND (order_id, payment_id) > (?, ?)
      ORDER BY order_id, payment_id LIMIT ?`);
    this.update = book.prepare(`UPDATE payment SET state = ?, outcome = ?, settle_at_ms = ?, repeat = ?, settled_at_ms = ?, refund_id = ?, refunded_at_ms = ?,
      late_capture_at_ms = ?, refund_failures = ? WHERE payment_id = ?`);
    const within = (column: string) => `(${column} >= ? AND ${column} < ?)`;
    this.selectMoved = book.prepare(`SELECT ${columns} FROM payment WHERE payment_id > ? AND (${within('refunded_at_ms')}
      OR (state IN ('captured', 'refunded') AND ${within('settled_at_ms')})) ORDER BY payment_id LIMIT ?`);
    this.selectLate = book.prepare(`SELECT ${columns} FROM payment WHERE late_capture_at_ms <= ? AND state = 'closed' ORDER BY late_capture_at_ms LIMIT ?`);
    this.selectNextLate = book.prepare(`SELECT min(late_capture_at_ms) AS dueAtMs FROM payment WHERE late_capture_at_ms IS NOT NULL AND state = 'closed'`);
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

  /** Payments for which a decision, the expiry or a late capture is due, oldest first. */
  due(nowMs: number, limit: number): Payment[] {
    return [...this.selectDue.all(nowMs, limit), ...this.selectLate.all(nowMs, limit)].map((row) => toPayment(row as unknown as Row));
  }

  /** When the next payment is due, or null. */
  nextDueMs(): number | null {
    const times = [this.selectNextDue, this.selectNextLate].flatMap((next) => (next.get() as { dueAtMs: number | null } | undefined)?.dueAtMs ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Payments whose order id starts with `orderPrefix`, after the given one, by order and payment id. */
  page(orderPrefix: string, after: { orderId: string; paymentId: string }, limit: number): Payment[] {
    return this.selectPage.all(orderPrefix, `${orderPrefix}\u{10ffff}`, after.orderId, after.paymentId, limit).map((row) => toPayment(row as unknown as Row));
  }

  /** Payments captured or refunded within the time given, after the given one, by payment id. */
  moved({ fromMs, untilMs }: MovedWithin, afterId: string, limit: number): Payment[] {
    return this.selectMoved.all(afterId, fromMs, untilMs, fromMs, untilMs, limit).map((row) => toPayment(row as unknown as Row));
  }

  /** Applies what time has done to the payment since, and answers it as it stands now. */
  advance(payment: Payment, nowMs: number): Payment {
    const due = dueAction(payment, nowMs);
    return due ? this.apply(payment, due.action, due.atMs) : payment;
  }

  /** Notes the buyer's decision; it takes effect when it is due. The first decision stands. */
  decide(payment: Payment, outcome: 'capture' | 'decline', settleAtMs: number, repeat: number): Payment {
    if (payment.state !== 'open' || payment.outcome !== null) return payment;
    const declined = outcome === 'capture' && this.misbehaviour.happens('decline');
    return this.save({ ...payment, outcome: declined ? 'decline' : outcome, settleAtMs, repeat });
  }

  /** Moves the payment if the table allows it, with its notice; else answers it unchanged. */
  apply(payment: Payment, action: PaymentAction, atMs: number, refundId: string | null = null): Payment {
    const state = nextState(payment.state, action);
    if (state === null) return payment;
    const settled = payment.state === 'open' || action === 'capture-late';
    const late = action === 'close' && this.misbehaviour.happens('captureAfterClose');
    const moved = this.save({
      ...payment,
      state,
      settledAtMs: settled ? atMs : payment.settledAtMs,
      ...(late ? { lateCaptureAtMs: atMs + this.misbehaviour.settings.captureAfterCloseMs } : {}),
      ...(action === 'refund' ? { refundId, refundedAtMs: atMs } : {}),
    });
    // The extra notices were asked for with the buyer's decision, so a refund or an expiry is told once.
    const repeat = action === 'capture' || action === 'decline' ? payment.repeat : 0;
    this.owe(moved, atMs, 1 + repeat);
    return moved;
  }

  /** Notes a refund that fails, or answers null: this one may go through. */
  failRefund(payment: Payment): Payment | null {
    if (payment.state !== 'captured' || payment.refundFailures >= this.misbehaviour.settings.failRefunds) return null;
    return this.save({ ...payment, refundFailures: payment.refundFailures + 1 });
  }

  private owe(payment: Payment, atMs: number, owed: number): void {
    const type = noticeOf[payment.state];
    const { misbehaviour } = this;
    const { settings } = misbehaviour;
    if (type === null || misbehaviour.happens('dropCallback')) return;
    const { paymentId, orderId, amount } = payment;
    const body = { id: `ev-${randomUUID()}`, type, paymentId, orderId, amount, occurredAt: new Date(atMs).toISOString() };
    const delayMs = misbehaviour.happens('delayCallback') ? misbehaviour.pick('delay', settings.delayCallbackMs + 1) : 0;
    const heldMs = misbehaviour.happens('reorderCallback') ? settings.reorderCallbackMs : 0;
    this.notices.owe({
      id: body.id, paymentId, callbackUrl: payment.callbackUrl, body: JSON.stringify(body),
      owed: misbehaviour.happens('repeatCallback') ? Math.max(owed, settings.repeatTimes) : owed, concurrent: misbehaviour.happens('concurrentCallback'),
      nextAtMs: atMs + Math.max(delayMs, heldMs), lies: drawLies(misbehaviour).join(','),
    });
  }

  private save(payment: Payment): Payment {
    this.update.run(payment.state, payment.outcome, payment.settleAtMs, payment.repeat, payment.settledAtMs, payment.refundId, payment.refundedAtMs,
      payment.lateCaptureAtMs, payment.refundFailures, payment.paymentId);
    return payment;
  }
}
