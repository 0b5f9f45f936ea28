import { accept, refuse, type Ask, type Outcome, type View } from '@floodgate/contracts';
import { crashPoint, createLogger, errorText, isoTime } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { BoundAnswer } from '../idempotency/idempotency-key.store.js';
import { OrderStore } from '../order/order.store.js';
import { publicState } from '../order/order.transitions.js';
import { PaymentClaims, scopeOf } from './payment.claims.js';
import { ProviderUnavailableError } from '../payment-provider/payment-provider.js';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import { moneyOf, paymentOrderOf, type PaymentRow } from './payment.store.js';

export type StartedPayment = { status: 200 | 201; replayed: boolean; payment: View.PaymentView };

/** What providers send buyers back to. Checked before anything is written: a payment that no provider opens could never be closed either. */
const returnUrlSchema = z.url({ protocol: /^https?$/ }).max(2_048);

/** Starts the one live payment of an order, or gives back the one there is. */
@Injectable()
export class StartPayment {
  private readonly log = createLogger('start-payment');

  constructor(
    private readonly claims: PaymentClaims,
    private readonly orders: OrderStore,
    private readonly providers: PaymentProviders,
  ) {}

  /** Refusals: INVALID_REQUEST, NOT_FOUND, IDEMPOTENCY_KEY_REUSED, INVALID_TRANSITION, UNAVAILABLE (the provider; the same key may try again). */
  async start(ask: Ask<'start-payment'>): Promise<Outcome<StartedPayment>> {
    if (!this.providers.find(ask.provider)) {
      return refuse('INVALID_REQUEST', 'no such payment provider', { errors: [{ path: '/provider', message: `must be ${this.providers.names.join(' or ')}` }] });
    }
    if (ask.returnUrl !== null && !returnUrlSchema.safeParse(ask.returnUrl).success) {
      return refuse('INVALID_REQUEST', 'not an address to return to', { errors: [{ path: '/returnUrl', message: 'must be an http or https URL of at most 2,048 characters' }] });
    }
    const fingerprint = JSON.stringify([ask.provider, ask.returnUrl]);
    const claim = await this.claims.claim(ask);
    if (claim.kind === 'refused') return claim.refusal;
    if (claim.kind === 'bound') return replay(claim.bound, fingerprint);
    const { payment } = claim;
    const redirectUrl = payment.redirectUrl ?? (await this.openAtProvider(payment));
    if (redirectUrl === null) return refuse('UNAVAILABLE', 'the payment provider cannot be reached');
    const body = paymentView(payment, redirectUrl);
    const binding = await this.claims.bind({ scope: scopeOf(ask), payment, redirectUrl, answer: (status) => ({ fingerprint, status, body }) });
    crashPoint('payment.after-commit');
    if (!binding) return this.closedMeanwhile(ask);
    return binding.first ? accept({ status: binding.bound.status === 201 ? 201 : 200, replayed: false, payment: body }) : replay(binding.bound, fingerprint);
  }

  /** Null: the provider did not answer. The payment stays STARTING; the next start opens it again, and closing the order closes it. */
  private async openAtProvider(payment: PaymentRow): Promise<string | null> {
    try {
      crashPoint('payment.before-provider');
      const { redirectUrl } = await this.providers.of(payment).open(paymentOrderOf(payment));
      crashPoint('payment.after-provider');
      return redirectUrl;
    } catch (error) {
      if (!(error instanceof ProviderUnavailableError)) throw error;
      this.log.warn({ paymentId: payment.paymentId, problem: errorText(error) }, 'a payment could not be opened');
      return null;
    }
  }

  private async closedMeanwhile({ rid }: Ask<'start-payment'>): Promise<Outcome<never>> {
    const order = await this.orders.find(rid);
    return refuse('INVALID_TRANSITION', 'the order was closed meanwhile', order ? { state: publicState(order.state, order.payBy) } : {});
  }
}

const paymentView = (row: PaymentRow, redirectUrl: string): View.PaymentView => ({
  paymentId: row.paymentId, provider: row.provider, amount: moneyOf(row), redirectUrl, expiresAt: isoTime(row.expiresAt.getTime()),
});

function replay(bound: BoundAnswer, fingerprint: string): Outcome<StartedPayment> {
  if (bound.fingerprint !== fingerprint) return refuse('IDEMPOTENCY_KEY_REUSED', 'this key was used with another body');
  return accept({ status: bound.status === 201 ? 201 : 200, replayed: true, payment: bound.body as View.PaymentView });
}
