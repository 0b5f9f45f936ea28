import { randomBytes } from 'node:crypto';
import { accept, refuse, type Ask, type Outcome, type Refusal, type View } from '@floodgate/contracts';
import { createLogger, Database, errorText, isoTime } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { IdempotencyKeyStore, type BoundAnswer, type KeyScope } from '../idempotency/idempotency-key.store.js';
import { OrderStore } from '../order/order.store.js';
import { publicState } from '../order/order.transitions.js';
import { PaymentProvider, ProviderUnavailableError } from './payment-provider.js';
import { moneyOf, paymentOrderOf, PaymentStore, type PaymentRow } from './payment.store.js';

export type StartedPayment = { status: 200 | 201; replayed: boolean; payment: View.PaymentView };

/** Starts the one live payment of an order, or gives back the one there is. */
@Injectable()
export class StartPayment {
  private readonly log = createLogger('start-payment');

  constructor(
    private readonly database: Database,
    private readonly orders: OrderStore,
    private readonly payments: PaymentStore,
    private readonly keys: IdempotencyKeyStore,
    private readonly provider: PaymentProvider,
  ) {}

  /** Refusals: INVALID_REQUEST, NOT_FOUND, IDEMPOTENCY_KEY_REUSED, INVALID_TRANSITION, UNAVAILABLE (the provider; the same key may try again). */
  async start(ask: Ask<'start-payment'>): Promise<Outcome<StartedPayment>> {
    if (ask.provider !== this.provider.name) {
      return refuse('INVALID_REQUEST', 'no such payment provider', { errors: [{ path: '/provider', message: `must be ${this.provider.name}` }] });
    }
    const scope: KeyScope = { accountId: ask.accountId, route: 'start-payment', subject: ask.rid, key: ask.key };
    const fingerprint = JSON.stringify([ask.provider, ask.returnUrl]);
    const bound = await this.keys.find(scope);
    if (bound) return replay(bound, fingerprint);

    const payment = await this.livePayment(ask);
    if ('ok' in payment) return payment;
    const redirectUrl = payment.redirectUrl ?? (await this.openAtProvider(payment));
    if (redirectUrl === null) return refuse('UNAVAILABLE', 'the payment provider cannot be reached');
    return this.bind(scope, fingerprint, payment, redirectUrl);
  }

  /** The order's live payment, made in this transaction if there is none: written down before the provider hears of it. */
  private async livePayment(ask: Ask<'start-payment'>): Promise<PaymentRow | Refusal> {
    return this.database.transaction(async (tx) => {
      // The row lock makes a start and a close of the same order come one after the other, so that no payment begins behind a close.
      const order = await this.orders.lock(tx, ask.rid);
      if (!order || order.accountId !== ask.accountId) return refuse('NOT_FOUND', 'no such order');
      const state = publicState(order.state, order.payBy);
      if (order.state !== 'PENDING' || order.payBy === null) return refuse('INVALID_TRANSITION', 'this order cannot be paid (any more)', { state });
      const live = await this.payments.liveOf(tx, order.saleId, order.rid);
      if (live) return live;
      const row = {
        paymentId: `pay-${randomBytes(16).toString('base64url')}`, saleId: order.saleId, rid: order.rid, provider: this.provider.name,
        amount: order.amount, currency: order.currency, returnUrl: ask.returnUrl, expiresAt: order.payBy,
      };
      if (!(await this.payments.insert(tx, row))) return refuse('INVALID_TRANSITION', 'the time to pay is over', { state });
      return { ...row, state: 'STARTING', redirectUrl: null, pays: false };
    });
  }

  /** Null: the provider did not answer. The payment stays STARTING; the next start opens it again, and closing the order closes it. */
  private async openAtProvider(payment: PaymentRow): Promise<string | null> {
    try {
      return (await this.provider.open(paymentOrderOf(payment))).redirectUrl;
    } catch (error) {
      if (!(error instanceof ProviderUnavailableError)) throw error;
      this.log.warn({ paymentId: payment.paymentId, problem: errorText(error) }, 'a payment could not be opened');
      return null;
    }
  }

  private async bind(scope: KeyScope, fingerprint: string, payment: PaymentRow, redirectUrl: string): Promise<Outcome<StartedPayment>> {
    return this.database.transaction(async (tx) => {
      // 201 is for whoever opened it first; a payment that was only written down by a start that failed counts as new.
      const opened = payment.state === 'STARTING' && (await this.payments.opened(tx, payment.paymentId, redirectUrl));
      if (payment.state === 'STARTING' && !opened && !(await this.payments.isOpen(tx, payment.paymentId))) {
        const order = await this.orders.find(scope.subject);
        return refuse('INVALID_TRANSITION', 'the order was closed meanwhile', order ? { state: publicState(order.state, order.payBy) } : {});
      }
      const answer = { fingerprint, status: opened ? 201 : 200, body: paymentView(payment, redirectUrl) };
      const { first, bound } = await this.keys.bind(tx, scope, answer);
      return first ? accept({ status: opened ? 201 : 200, replayed: false, payment: answer.body }) : replay(bound, fingerprint);
    });
  }
}

const paymentView = (row: PaymentRow, redirectUrl: string): View.PaymentView => ({
  paymentId: row.paymentId, provider: row.provider, amount: moneyOf(row), redirectUrl, expiresAt: isoTime(row.expiresAt.getTime()),
});

function replay(bound: BoundAnswer, fingerprint: string): Outcome<StartedPayment> {
  if (bound.fingerprint !== fingerprint) return refuse('IDEMPOTENCY_KEY_REUSED', 'this key was used with another body');
  return accept({ status: bound.status === 201 ? 201 : 200, replayed: true, payment: bound.body as View.PaymentView });
}
