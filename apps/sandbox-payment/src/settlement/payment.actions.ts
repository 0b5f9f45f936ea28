import { Injectable, InternalServerErrorException } from '@nestjs/common';
import { Book } from '../book/book.js';
import { PaymentStore, type NewPayment, type Payment } from '../book/payment.store.js';
import { CallbackRelay } from '../callback/callback.relay.js';
import { Misbehaviour } from '../misbehaviour/misbehaviour.js';
import { SettlementTimer } from './settlement.timer.js';

/**
 * What the shop and the buyer can do to a payment. Each action first lets time do its part, so that nobody can overtake
 * a decision or an expiry that is already due, and is durable when its promise resolves.
 */
@Injectable()
export class PaymentActions {
  constructor(
    private readonly book: Book,
    private readonly payments: PaymentStore,
    private readonly settlements: SettlementTimer,
    private readonly callbacks: CallbackRelay,
    private readonly misbehaviour: Misbehaviour,
  ) {}

  /** Opens a payment, or answers the one with that id. */
  async open(payment: NewPayment): Promise<Payment> {
    const opened = await this.book.write(() => this.payments.open(payment));
    this.settlements.wakeAt(opened.expiresAtMs);
    if (opened.secret !== payment.secret || !this.misbehaviour.happens('earlyCallback')) return opened;
    await this.decide(opened.paymentId, 'capture', 0, 0);
    await this.callbacks.told(opened.paymentId);
    return opened;
  }

  /** The payment as it stands now, or null. */
  find(paymentId: string): Promise<Payment | null> {
    return this.change(paymentId, (payment) => payment);
  }

  /** Closes the payment unless it was settled before; the answer's state says which. Null: unknown. Throws where it fails. */
  async close(paymentId: string): Promise<Payment | null> {
    if (this.misbehaviour.happens('failClose')) throw new InternalServerErrorException('the close failed');
    const closed = await this.change(paymentId, (payment, nowMs) => this.payments.apply(payment, 'close', nowMs));
    if (closed?.lateCaptureAtMs) this.settlements.wakeAt(closed.lateCaptureAtMs);
    return closed;
  }

  /** Gives the captured money back once; the answer's state and `refundId` say whether this was (or is) that refund. Null: unknown. Throws where it fails. */
  async refund(paymentId: string, refundId: string): Promise<Payment | null> {
    let failed: Payment | null = null;
    const changed = await this.change(paymentId, (payment, nowMs) => {
      failed = this.payments.failRefund(payment);
      return failed ?? this.payments.apply(payment, 'refund', nowMs, refundId);
    });
    if (failed) throw new InternalServerErrorException('the refund failed');
    return changed;
  }

  /**
   * The buyer decides. The first decision stands, and takes effect `delayMs` later if the payment is still open then.
   * @param repeat extra notices of the decision
   */
  async decide(paymentId: string, outcome: 'capture' | 'decline', delayMs: number, repeat: number): Promise<Payment | null> {
    const decided = await this.change(paymentId, (payment, nowMs) => {
      const settleAtMs = Math.min(nowMs + delayMs, Number.MAX_SAFE_INTEGER);
      return this.payments.advance(this.payments.decide(payment, outcome, settleAtMs, repeat), nowMs);
    });
    if (decided?.state === 'open' && decided.settleAtMs !== null) this.settlements.wakeAt(decided.settleAtMs);
    return decided;
  }

  private async change(paymentId: string, action: (payment: Payment, nowMs: number) => Payment): Promise<Payment | null> {
    const changed = await this.book.write(() => {
      const nowMs = Date.now();
      const payment = this.payments.find(paymentId);
      return payment && action(this.payments.advance(payment, nowMs), nowMs);
    });
    this.callbacks.wake();
    return changed;
  }
}
