import { idSchema, type Money } from '@floodgate/contracts';
import type { Stripe } from 'stripe';
import type { ProviderNotice } from './payment-provider.js';
import { fromStripe } from './stripe.money.js';

/** What ties Stripe's objects to our payments: put into each session and its payment intent, which hands it on to its charges. */
export interface OurIds {
  paymentId: string;
  orderId: string;
}

/** What an event says. `of`: whose it is, or the payment intent to ask about that, or nothing of ours. */
export interface EventReading {
  type: string;
  of: OurIds | { intent: string } | null;
  money: Money;
}

export function idsIn(metadata: Stripe.Metadata | null | undefined): OurIds | null {
  const ids = { paymentId: metadata?.['paymentId'], orderId: metadata?.['orderId'] };
  return idSchema.safeParse(ids.paymentId).success && idSchema.safeParse(ids.orderId).success ? (ids as OurIds) : null;
}

/**
 * Stripe's events in our words. A failed attempt is not the end of a session (the buyer may take another card), money on its way
 * is only authorised, and a refund in part leaves the payment captured: those, disputes and all others have types that
 * change nothing, and are kept for people to see.
 */
export function readEvent(event: Stripe.Event): EventReading {
  switch (event.type) {
    case 'checkout.session.completed':
      return ofSession(event.data.object, event.data.object.payment_status === 'unpaid' ? 'payment.authorised' : 'payment.captured');
    case 'checkout.session.async_payment_succeeded':
      return ofSession(event.data.object, 'payment.captured');
    case 'checkout.session.async_payment_failed':
      return ofSession(event.data.object, 'payment.declined');
    case 'checkout.session.expired':
      return ofSession(event.data.object, 'payment.expired');
    case 'payment_intent.succeeded':
      return ofIntent(event.data.object, event.data.object.amount_received, 'payment.captured');
    case 'payment_intent.amount_capturable_updated':
      return ofIntent(event.data.object, event.data.object.amount, 'payment.authorised');
    case 'payment_intent.payment_failed':
      return ofIntent(event.data.object, event.data.object.amount, 'payment.attempt-failed');
    case 'payment_intent.canceled':
      return ofIntent(event.data.object, event.data.object.amount, 'payment.intent-cancelled');
    case 'charge.refunded': {
      const { metadata, refunded, amount_captured: captured, amount_refunded: back, currency } = event.data.object;
      return { type: refunded ? 'payment.refunded' : 'payment.partly-refunded', of: idsIn(metadata), money: fromStripe(refunded ? captured : back, currency) };
    }
    case 'charge.dispute.created':
    case 'charge.dispute.updated':
    case 'charge.dispute.closed':
    case 'charge.dispute.funds_withdrawn':
    case 'charge.dispute.funds_reinstated': {
      const { payment_intent: intent, amount, currency } = event.data.object;
      const id = typeof intent === 'string' ? intent : intent?.id;
      return { type: event.type.replace('charge.dispute.', 'payment.dispute-'), of: id === undefined ? null : { intent: id }, money: fromStripe(amount, currency) };
    }
    default:
      return { type: `stripe.${event.type}`.slice(0, 64), of: null, money: { amount: 0, currency: 'XXX' } };
  }
}

/** An event of nothing of ours is a notice too: of a payment that does not exist, by the name of the event. */
export function noticeOf(event: Stripe.Event, { type, money }: EventReading, ids: OurIds | null): ProviderNotice {
  return { id: event.id, type, paymentId: ids?.paymentId ?? event.id, orderId: ids?.orderId ?? event.id, amount: money, occurredAt: new Date(event.created * 1000).toISOString() };
}

const ofSession = ({ metadata, amount_total: total, currency }: Stripe.Checkout.Session, type: string): EventReading => (
  { type, of: idsIn(metadata), money: fromStripe(total ?? 0, currency ?? 'xxx') });

const ofIntent = ({ metadata, currency }: Stripe.PaymentIntent, amount: number, type: string): EventReading => ({ type, of: idsIn(metadata), money: fromStripe(amount, currency) });
