import { Stripe } from 'stripe';
import {
  moneyOf, PaymentProvider, ProviderUnavailableError, type MovedMoney, type NoticeReading, type PaymentOrder, type ProviderPayment, type ProviderState, type Span,
} from './payment-provider.js';
import { idsIn, noticeOf, readEvent, type OurIds } from './stripe.events.js';
import { fromStripe, toStripe } from './stripe.money.js';
import { StripeSessionStore } from './stripe-session.store.js';

export interface StripeSettings {
  secretKey: string;
  webhookSecret: string;
  /** Where buyers go back to from a payment that names no address of its own. */
  returnUrl: string;
  /** Origin of Stripe's API. */
  apiUrl: string;
}

/** A buyer waits behind these calls, and the gateway gives up on us after ten seconds. */
const answerTimeoutMs = 5_000;
/** As Stripe advises; a webhook is signed anew at each delivery. */
const signatureAgeMaxSeconds = 300;
const pageSize = 100;
/** A session ends by itself a day after it was created, and its creation may have been asked for again in all that time. */
const sessionLifeMs = 86_400_000;
const withCharge = ['payment_intent.latest_charge'];

/**
 * Stripe's hosted checkout: a session per payment, with our ids in its metadata. It is not given our deadline, because Stripe takes none
 * of less than half an hour: the order's close expires it. Every write carries an idempotency key made of our ids, so repeating is harmless.
 */
export class StripeProvider extends PaymentProvider {
  readonly name = 'stripe';
  private readonly stripe: Stripe;

  constructor(private readonly settings: StripeSettings, private readonly sessions: StripeSessionStore) {
    super();
    const { protocol, hostname, port } = new URL(settings.apiUrl);
    this.stripe = new Stripe(settings.secretKey, {
      protocol: protocol === 'http:' ? 'http' : 'https', host: hostname, ...(port === '' ? {} : { port: Number(port) }), timeout: answerTimeoutMs, maxNetworkRetries: 0, telemetry: false,
    });
  }

  override async open(payment: PaymentOrder): Promise<{ redirectUrl: string }> {
    const session = await this.opened(payment);
    if (session === 'refused') throw new ProviderUnavailableError(`stripe does not take ${payment.amount.amount} ${payment.amount.currency}`);
    // One that is over has no page any more; its state says what became of it.
    return { redirectUrl: session.url ?? payment.returnUrl ?? this.settings.returnUrl };
  }

  override async read(paymentId: string): Promise<ProviderPayment | null> {
    const session = await this.session(paymentId);
    return session && paymentOf(session);
  }

  override async close(payment: PaymentOrder): Promise<ProviderPayment> {
    const { paymentId, orderId, amount } = payment;
    const session = (await this.session(paymentId)) ?? (await this.opened(payment));
    // What Stripe would never open it has not opened.
    if (session === 'refused') return { paymentId, orderId, amount, state: 'closed' };
    if (session.status === 'open') {
      try {
        await asked(this.stripe.checkout.sessions.expire(session.id, {}, { idempotencyKey: `close.${paymentId}` }));
      } catch (error) {
        // It was paid or expired meanwhile: reading says which.
        if (!isRefusal(error)) throw error;
      }
    }
    return paymentOf(await this.retrieved(session.id));
  }

  override async refund(paymentId: string, refundId: string): Promise<ProviderPayment> {
    const session = await this.session(paymentId);
    const intent = session && idOf(session.payment_intent);
    if (!session || !intent) throw new ProviderUnavailableError(`stripe has no money of the payment ${paymentId}`);
    try {
      const metadata = { ...idsIn(session.metadata), refundId };
      await asked(this.stripe.refunds.create({ payment_intent: intent, metadata }, { idempotencyKey: refundId }));
    } catch (error) {
      // Repeated after Stripe has forgotten the key, it is the same refund all the same: there is nothing left to give back.
      if (!isRefusal(error, 'charge_already_refunded')) throw error;
    }
    const payment = paymentOf(await this.retrieved(session.id));
    if (payment.state !== 'refunded') throw new ProviderUnavailableError(`the refund of ${paymentId} is not through`);
    return payment;
  }

  /** Sessions are found by when they were begun, since Stripe lists them by nothing of ours (and its search lags behind). */
  override async *book(orderPrefix: string): AsyncIterable<ProviderPayment> {
    const span = await this.sessions.span(orderPrefix);
    if (!span) return;
    const created = createdIn({ fromMs: span.fromMs - 60_000, untilMs: span.untilMs + sessionLifeMs });
    for await (const session of listed(this.stripe.checkout.sessions.list({ ...created, limit: pageSize, expand: withCharge.map((path) => `data.${path}`) }))) {
      if (idsIn(session.metadata)?.orderId.startsWith(orderPrefix)) yield paymentOf(session);
    }
  }

  /** Charges that carry our ids; others of the same account are somebody else's business. */
  override async *moved(within: Span): AsyncIterable<MovedMoney> {
    const created = createdIn(within);
    for await (const charge of listed(this.stripe.charges.list({ ...created, limit: pageSize }))) yield* moneyOfCharge(charge);
    for await (const { charge } of listed(this.stripe.refunds.list({ ...created, limit: pageSize, expand: ['data.charge'] }))) {
      if (charge !== null && typeof charge === 'object') yield* moneyOfCharge(charge);
    }
  }

  override async money(paymentId: string): Promise<MovedMoney | null> {
    const session = await this.session(paymentId);
    if (!session) return null;
    const charge = chargeOf(session);
    // The charge knows sums, also of a refund in part; a session without one has no money.
    return (charge && moneyOfCharge(charge)[0]) ?? moneyOf(paymentOf(session));
  }

  override async readNotice(headers: Record<string, string>, body: Buffer): Promise<NoticeReading> {
    let event: Stripe.Event;
    try {
      event = this.stripe.webhooks.constructEvent(body, headers['stripe-signature'] ?? '', this.settings.webhookSecret, signatureAgeMaxSeconds);
    } catch (error) {
      return error instanceof Stripe.errors.StripeSignatureVerificationError ? 'bad-signature' : 'malformed';
    }
    if (!isEvent(event)) return 'malformed';
    const reading = readEvent(event);
    const ids = reading.of !== null && 'intent' in reading.of ? idsIn((await asked(this.stripe.paymentIntents.retrieve(reading.of.intent))).metadata) : reading.of;
    return noticeOf(event, reading, ids);
  }

  override async disconnect(): Promise<void> {
    // The library keeps connections in Node's own agent, which lets the process end.
  }

  private async opened(payment: PaymentOrder): Promise<Stripe.Checkout.Session | 'refused'> {
    const { paymentId, orderId, returnUrl } = payment;
    const price = toStripe(payment.amount);
    if (!price) return 'refused';
    const known = await this.sessions.begin({ paymentId, orderId });
    if (known !== null) return this.retrieved(known);
    const ids: OurIds = { paymentId, orderId };
    const url = returnUrl ?? this.settings.returnUrl;
    try {
      // Nothing here may depend on the time: a repetition with the same key must be the same request.
      const session = await asked(this.stripe.checkout.sessions.create({
        mode: 'payment', client_reference_id: paymentId, metadata: { ...ids }, payment_intent_data: { metadata: { ...ids } }, success_url: url, cancel_url: url,
        line_items: [{ quantity: 1, price_data: { currency: price.currency, unit_amount: price.amount, product_data: { name: `Order ${orderId}` } } }],
      }, { idempotencyKey: `open.${paymentId}` }));
      await this.sessions.note(paymentId, session.id);
      return session;
    } catch (error) {
      if (isRefusal(error)) return 'refused';
      throw error;
    }
  }

  private async session(paymentId: string): Promise<Stripe.Checkout.Session | null> {
    const id = await this.sessions.find(paymentId);
    return id === null ? null : this.retrieved(id);
  }

  private retrieved(id: string): Promise<Stripe.Checkout.Session> {
    return asked(this.stripe.checkout.sessions.retrieve(id, { expand: withCharge }));
  }
}

/** A definite no of Stripe's, after which nothing has happened. */
class StripeRefusal extends ProviderUnavailableError {
  constructor(message: string, readonly code: string | undefined, options: ErrorOptions) {
    super(message, options);
  }
}

const isRefusal = (error: unknown, code?: string): boolean => error instanceof StripeRefusal && (code === undefined || error.code === code);

async function asked<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw unavailable(error);
  }
}

async function* listed<T>(list: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* list;
  } catch (error) {
    throw unavailable(error);
  }
}

/** Its words are left out: they may repeat what was sent. */
function unavailable(error: unknown): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error;
  const what = [error.type, error.code, error.statusCode, error.requestId].filter(Boolean).join(' ');
  if (error instanceof Stripe.errors.StripeInvalidRequestError) return new StripeRefusal(`stripe refuses: ${what}`, error.code, { cause: error });
  return new ProviderUnavailableError(`stripe cannot be reached: ${what}`, { cause: error });
}

/** What is signed by Stripe is an event of Stripe's, but which of its fields are there is up to its version. */
const isEvent = (value: unknown): boolean => typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string' && /^[A-Za-z0-9._~-]{1,64}$/.test(value.id)
  && 'type' in value && typeof value.type === 'string' && 'created' in value && typeof value.created === 'number' && 'data' in value;

const idOf = (object: string | { id: string } | null): string | null => (typeof object === 'string' ? object : (object?.id ?? null));

function createdIn({ fromMs, untilMs }: Span): { created: { gte: number; lt: number } } {
  // Stripe's times are whole seconds; what lies on the edge is in both spans rather than in none.
  return { created: { gte: Math.max(0, Math.floor(fromMs / 1000)), lt: Math.ceil(Math.min(untilMs, Date.UTC(2100, 0, 1)) / 1000) } };
}

function chargeOf({ payment_intent: intent }: Stripe.Checkout.Session): Stripe.Charge | null {
  const charge = typeof intent === 'object' ? intent?.latest_charge : null;
  return typeof charge === 'object' ? (charge ?? null) : null;
}

function moneyOfCharge({ metadata, currency, captured, amount_captured: taken, amount_refunded: back }: Stripe.Charge): MovedMoney[] {
  const ids = idsIn(metadata);
  if (!ids || !captured) return [];
  const money = fromStripe(taken, currency);
  return [{ ...ids, currency: money.currency, captured: money.amount, refunded: fromStripe(back, currency).amount }];
}

function paymentOf(session: Stripe.Checkout.Session): ProviderPayment {
  const ids = idsIn(session.metadata);
  return {
    paymentId: ids?.paymentId ?? session.client_reference_id ?? session.id, orderId: ids?.orderId ?? 'none', state: stateOf(session),
    amount: fromStripe(session.amount_total ?? 0, session.currency ?? 'xxx'),
  };
}

function stateOf(session: Stripe.Checkout.Session): ProviderState {
  if (session.status !== 'complete') return session.status === 'expired' ? 'expired' : 'open';
  if (session.payment_status !== 'unpaid') return chargeOf(session)?.refunded ? 'refunded' : 'captured';
  // Completed by the buyer, and the money still on its way (a bank debit), or it failed to come.
  const intent = session.payment_intent;
  const failed = typeof intent === 'object' && (intent?.status === 'requires_payment_method' || intent?.status === 'canceled');
  return failed ? 'declined' : 'open';
}
