import { createLogger, Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { lockStock } from '../ledger/lane-stock.js';
import { OrderStore } from '../order/order.store.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import { PaymentEventStore } from './payment-event.store.js';
import type { ProviderNotice, ProviderPayment } from './payment-provider.js';
import { eventOfType, nextPaymentState, paymentRace, type OrderEvent, type PaymentEvent, type RaceAction } from './payment-race.js';
import { PaymentStore, type PaymentRow, type PaymentStanding } from './payment.store.js';
import { RefundStore } from './refund.store.js';

/** What a notice came to. Only an action of the race table other than `keep` and `report` changed the order or owes a refund. */
export type NoticeOutcome = RaceAction | 'repeated' | 'old-news' | 'unknown-type' | 'unknown-payment' | 'unknown-order' | 'wrong-amount';

type KnownPayment = PaymentRow & { lane: number };

/** What each action of the race table does to order and stock. */
@Injectable()
export class PaymentEffects {
  constructor(
    private readonly saga: PurchaseSaga,
    private readonly orders: OrderStore,
    private readonly refunds: RefundStore,
  ) {}

  async apply(tx: Transaction, action: RaceAction, payment: PaymentRow, standing: PaymentStanding): Promise<void> {
    const { saleId, rid } = payment;
    switch (action) {
      case 'mark-paid':
        if ((await this.saga.markPaid(tx, saleId, rid)) === null) throw new Error(`order ${rid} is ${standing.orderState} no longer`);
        // Withdrawn while the money was on its way: this payment came too late to be listed with the paid orders.
        if (standing.saleWithdrawn) await this.orders.startRefunding(tx, saleId, [rid], 'sale-withdrawn');
        return;
      case 'refund':
        await this.refunds.request(tx, payment, `captured while the order was ${standing.orderState}`);
        return;
      case 'close':
        await this.saga.closeOrders(tx, saleId, [rid], 'payment-declined');
        return;
      case 'finish-refund':
        // The reason it is being refunded for stands in the row and wins.
        await this.saga.closeOrders(tx, saleId, [rid], 'sale-withdrawn');
        return;
      case 'report':
      case 'keep':
        return;
      default:
        return action satisfies never;
    }
  }
}

/** Applies what providers say, each event once: the event, the payment, the order and its stock move in one transaction. */
@Injectable()
export class PaymentJudge {
  private readonly log = createLogger('payment');

  constructor(
    private readonly database: Database,
    private readonly payments: PaymentStore,
    private readonly events: PaymentEventStore,
    private readonly refunds: RefundStore,
    private readonly effects: PaymentEffects,
  ) {}

  /** Resolves after the commit. A refusal of the notice is an outcome too; it throws only where the database is away, or for a bug. */
  async judge(provider: string, notice: ProviderNotice): Promise<NoticeOutcome> {
    const payment = await this.payments.find(notice.paymentId);
    const outcome = await this.database.transaction(async (tx) => {
      // The lane's lock first, as everywhere. It also makes the notices of one order come one after the other.
      if (payment) await lockStock(tx, payment.saleId, new Map([[payment.lane, []]]));
      if (!(await this.events.firstTime(tx, provider, notice))) return 'repeated';
      const decided = payment && payment.provider === provider ? await this.decide(tx, payment, notice) : 'unknown-payment';
      await this.events.noteOutcome(tx, provider, notice.id, decided);
      return decided;
    });
    const { id, type, paymentId } = notice;
    const alarming = ['wrong-amount', 'unknown-payment', 'unknown-order', 'unknown-type', 'report'].includes(outcome);
    this.log[alarming ? 'warn' : 'debug']({ provider, notice: id, type, paymentId, outcome }, 'a payment notice was judged');
    return outcome;
  }

  /** As {@link judge}, for what the provider answered when it was asked. Asking again tells the same event. */
  async judgeAnswer(provider: string, payment: ProviderPayment): Promise<NoticeOutcome> {
    const { paymentId, orderId, amount, state } = payment;
    return this.judge(provider, { id: `asked.${state}.${paymentId}`, type: `payment.${state}`, paymentId, orderId, amount, occurredAt: new Date().toISOString() });
  }

  private async decide(tx: Transaction, payment: KnownPayment, notice: ProviderNotice): Promise<NoticeOutcome> {
    const event = eventOfType(notice.type);
    if (event === null) return 'unknown-type';
    if (notice.orderId !== payment.rid) return 'unknown-order';
    if (notice.amount.amount !== payment.amount || notice.amount.currency !== payment.currency) return 'wrong-amount';
    const standing = await this.payments.standing(tx, payment.paymentId);
    const next = nextPaymentState(standing.state, event);
    if (next === null) return 'old-news';
    const action: RaceAction = paymentRace[standing.orderState][orderEvent(event, standing)];
    await this.payments.move(tx, payment.paymentId, standing.state, next, standing.pays || action === 'mark-paid');
    if (event === 'refunded') await this.refunds.done(tx, payment.paymentId);
    await this.effects.apply(tx, action, payment, standing);
    return action;
  }
}

const orderEvent = (event: PaymentEvent, standing: PaymentStanding): OrderEvent => (event === 'refunded' && !standing.pays ? 'extra-refunded' : event);
