import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '@floodgate/contracts';
import { eventually } from '@floodgate/platform/testing';
import { PaymentBook } from '../reconcile/payment-book.js';
import { currency, OrderHarness, price, type Placed } from '../support/order.harness.js';
import { PretendStripe, stripeKey, stripeWebhookSecret } from '../support/pretend.stripe.js';
import { ProviderUnavailableError, type PaymentOrder } from './payment-provider.js';
import { StripeProvider } from './stripe.provider.js';
import { StripeSessionStore } from './stripe-session.store.js';

const returnUrl = 'https://shop.example/paid';
const stripe = new PretendStripe();
let at: OrderHarness;
let provider: StripeProvider;

beforeAll(async () => {
  const apiUrl = await stripe.start();
  at = await OrderHarness.start(undefined, undefined, (database) => [
    (provider = new StripeProvider({ secretKey: stripeKey, webhookSecret: stripeWebhookSecret, returnUrl, apiUrl }, new StripeSessionStore(database))),
  ]);
});
afterEach(() => { stripe.trouble = 'none'; });
afterAll(async () => {
  await at?.stop();
  await stripe.stop();
});

async function started(placed?: Placed): Promise<{ placed: Placed; paymentId: string; redirectUrl: string }> {
  const order = placed ?? (await at.order());
  const outcome = await at.startPayment(order, { provider: 'stripe' });
  if (!outcome.ok) throw new Error(outcome.detail);
  return { placed: order, paymentId: outcome.value.payment.paymentId, redirectUrl: outcome.value.payment.redirectUrl };
}
const tell = ({ body, headers }: { body: Buffer; headers: Record<string, string> }): Promise<Answer<'payment-notice'>> =>
  at.service.client.ask('payment-notice', { provider: 'stripe', headers, body: body.toString('base64') });
const outcomeOf = async (event: Parameters<typeof tell>[0]) => {
  const answer = await tell(event);
  return answer.ok ? (answer.value as { outcome: string }).outcome : answer.code;
};
const order = (changes: Partial<PaymentOrder> = {}): PaymentOrder => (
  { paymentId: `pay-${randomUUID()}`, orderId: `Sale.${randomUUID()}`, amount: { amount: 250, currency: 'GBP' }, returnUrl: null, expiresAtMs: Date.now() + 60_000, ...changes });
const postsWith = (key: string) => stripe.requests.filter((request) => request.startsWith('POST') && request.endsWith(` ${key}`));

describe('a checkout session', () => {
  it('is created with our ids and sum, and its page is where the buyer goes', async () => {
    const { placed, paymentId, redirectUrl } = await started();
    const session = stripe.sessionOf(paymentId);
    expect(redirectUrl).toBe(session['url']);
    expect(session).toMatchObject({ amount_total: price, currency: currency.toLowerCase(), metadata: { paymentId, orderId: placed.rid }, intent_metadata: { paymentId, orderId: placed.rid }, success_url: returnUrl });
    expect(postsWith(`open.${paymentId}`)).toHaveLength(1);
  });

  it('is one, though the answer of its creation was lost', async () => {
    const placed = await at.order();
    stripe.trouble = 'lose';
    const key = randomUUID();
    expect(await at.startPayment(placed, { provider: 'stripe', key })).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    stripe.trouble = 'none';
    const { paymentId } = await started(placed);
    expect([...stripe.sessions.values()].filter((session) => session['client_reference_id'] === paymentId)).toHaveLength(1);
    expect(postsWith(`open.${paymentId}`).length).toBeGreaterThan(1);
  });

  it('counts money as Stripe does', async () => {
    const yen = order({ amount: { amount: 500, currency: 'JPY' } });
    await provider.open(yen);
    expect(stripe.sessionOf(yen.paymentId)).toMatchObject({ amount_total: 500, currency: 'jpy' });
    const krona = order({ amount: { amount: 700, currency: 'ISK' } });
    await provider.open(krona);
    expect(stripe.sessionOf(krona.paymentId)).toMatchObject({ amount_total: 70_000, currency: 'isk' });
    expect(await provider.read(krona.paymentId)).toMatchObject({ amount: { amount: 700, currency: 'ISK' } });
  });

  it.each([['a sum too small', { amount: 5, currency: 'GBP' }], ['a sum it cannot write', { amount: 1_255, currency: 'KWD' }]])('that Stripe refuses for %s leaves nothing that would have to be closed', async (_, amount) => {
    const refused = order({ amount });
    await expect(provider.open(refused)).rejects.toThrow(ProviderUnavailableError);
    expect(await provider.close(refused)).toMatchObject({ state: 'closed' });
    expect(await provider.read(refused.paymentId)).toBeNull();
  });
});

describe('a close', () => {
  it('expires the session, so that nobody can pay for what was released', async () => {
    const { placed, paymentId } = await started();
    expect(await at.cancel(placed)).toMatchObject({ ok: true });
    await eventually(async () => expect(await at.state(placed)).toBe('CLOSED cancelled-by-buyer'));
    expect(stripe.sessionOf(paymentId)).toMatchObject({ status: 'expired', url: null });
    expect(postsWith(`close.${paymentId}`)).toHaveLength(1);
  });

  it('of what was paid meanwhile finds the money', async () => {
    const { placed, paymentId } = await started();
    stripe.pay(stripe.sessionOf(paymentId));
    await at.cancel(placed);
    await eventually(async () => expect(await at.state(placed)).toBe('PAID'));
  });

  it('waits while money is on its way', async () => {
    const payment = order();
    await provider.open(payment);
    const session = stripe.sessionOf(payment.paymentId);
    stripe.pay(session, 'processing');
    expect(await provider.close(payment)).toMatchObject({ state: 'open' });
    stripe.pay(session, 'failed');
    expect(await provider.close(payment)).toMatchObject({ state: 'declined' });
  });

  it('of what Stripe never answered about opens and expires it', async () => {
    const payment = order();
    stripe.trouble = 'lose';
    await expect(provider.open(payment)).rejects.toThrow(ProviderUnavailableError);
    stripe.trouble = 'none';
    expect(await provider.close(payment)).toMatchObject({ state: 'expired' });
    expect(stripe.sessionOf(payment.paymentId)).toMatchObject({ status: 'expired' });
  });

  it.each(['break', 'fail'] as const)('keeps the units while Stripe cannot be asked (%s)', async (trouble) => {
    const { placed } = await started();
    stripe.trouble = trouble;
    expect(await at.cancel(placed)).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    expect(await at.units(placed)).toMatchObject({ held: 1 });
  });
});

describe('a webhook', () => {
  it('signed by Stripe pays the order, once', async () => {
    const { placed, paymentId } = await started();
    const session = stripe.sessionOf(paymentId);
    stripe.pay(session);
    const event = stripe.event('checkout.session.completed', session);
    expect(await outcomeOf(event)).toBe('mark-paid');
    expect(await outcomeOf(event)).toBe('repeated');
    expect(await outcomeOf(stripe.event('payment_intent.succeeded', stripe.intents.get(String(session['payment_intent']))!))).toBe('old-news');
    expect(await at.state(placed)).toBe('PAID');
  });

  it.each([
    ['forged', () => stripe.event('checkout.session.completed', {}, { secret: 'whsec_of_somebody' }), 'BAD_SIGNATURE'],
    ['old', () => stripe.event('checkout.session.completed', {}, { atSeconds: Math.floor(Date.now() / 1000) - 301 }), 'BAD_SIGNATURE'],
    ['without a signature', () => ({ ...stripe.event('checkout.session.completed', {}), headers: {} }), 'BAD_SIGNATURE'],
    ['changed by a byte', () => {
      const event = stripe.event('checkout.session.completed', {});
      return { ...event, body: Buffer.from(event.body.toString().replace('"livemode": false', '"livemode":  false')) };
    }, 'BAD_SIGNATURE'],
  ])('%s is refused', async (_, event, code) => {
    expect(await outcomeOf(event())).toBe(code);
  });

  it.each([
    ['checkout.session.expired', (session: any) => session, 'keep', 'PENDING'],
    ['checkout.session.async_payment_failed', (session: any) => session, 'close', 'CLOSED payment-declined'],
    ['checkout.session.async_payment_succeeded', (session: any) => session, 'mark-paid', 'PAID'],
    ['checkout.session.completed', (session: any) => ({ ...session, payment_status: 'unpaid' }), 'keep', 'PENDING'],
    ['payment_intent.amount_capturable_updated', (session: any) => ({ id: 'pi_x', metadata: session.metadata, amount: price, currency: 'gbp' }), 'keep', 'PENDING'],
    ['payment_intent.succeeded', (session: any) => ({ id: 'pi_x', metadata: session.metadata, amount: price, amount_received: price, currency: 'gbp' }), 'mark-paid', 'PAID'],
    ['payment_intent.succeeded', (session: any) => ({ id: 'pi_x', metadata: session.metadata, amount: price, amount_received: 1, currency: 'gbp' }), 'wrong-amount', 'PENDING'],
    ['payment_intent.payment_failed', (session: any) => ({ id: 'pi_x', metadata: session.metadata, amount: price, currency: 'gbp' }), 'unknown-type', 'PENDING'],
    ['payment_intent.canceled', (session: any) => ({ id: 'pi_x', metadata: session.metadata, amount: price, currency: 'gbp' }), 'unknown-type', 'PENDING'],
    ['charge.refunded', (session: any) => ({ id: 'ch_x', metadata: session.metadata, refunded: false, amount_captured: price, amount_refunded: 1, currency: 'gbp' }), 'unknown-type', 'PENDING'],
    ['invoice.paid', () => ({ id: 'in_x' }), 'unknown-payment', 'PENDING'],
    ['checkout.session.completed', (session: any) => ({ ...session, metadata: {} }), 'unknown-payment', 'PENDING'],
  ])('%s: %# comes to %s', async (type, object, outcome, state) => {
    const { placed, paymentId } = await started();
    expect(await outcomeOf(stripe.event(type, object(stripe.sessionOf(paymentId))))).toBe(outcome);
    expect(await at.state(placed)).toBe(state);
  });

  it('of a dispute is kept with the payment that it is about, and changes nothing; Stripe repeats it while it cannot be asked which that is', async () => {
    const { placed, paymentId } = await started();
    const session = stripe.sessionOf(paymentId);
    stripe.pay(session);
    await outcomeOf(stripe.event('checkout.session.completed', session));
    const event = stripe.event('charge.dispute.created', { id: 'dp_1', payment_intent: session['payment_intent'], amount: price, currency: 'gbp' });
    stripe.trouble = 'break';
    expect(await outcomeOf(event)).toBe('UNAVAILABLE');
    stripe.trouble = 'none';
    expect(await outcomeOf(event)).toBe('unknown-type');
    expect(await at.database.query('SELECT type FROM payment_event WHERE provider = $1 AND event_id = $2 AND payment_id = $3', ['stripe', event.id, paymentId])).toEqual([{ type: 'payment.dispute-created' }]);
    expect(await at.state(placed)).toBe('PAID');
  });
});

describe('money', () => {
  it('whose webhook never came is found by asking', async () => {
    const { placed, paymentId } = await started();
    stripe.pay(stripe.sessionOf(paymentId));
    await at.database.query('UPDATE payment SET next_ask_at = clock_timestamp() WHERE payment_id = $1', [paymentId]);
    await eventually(async () => expect(await at.state(placed)).toBe('PAID'));
  });

  it('of a released order goes back once, also where the answer was lost and Stripe has forgotten the key', async () => {
    const payment = order();
    await provider.open(payment);
    stripe.pay(stripe.sessionOf(payment.paymentId));
    stripe.trouble = 'lose';
    await expect(provider.refund(payment.paymentId, 'refund-1')).rejects.toThrow(ProviderUnavailableError);
    stripe.trouble = 'none';
    expect(await provider.refund(payment.paymentId, 'refund-1')).toMatchObject({ state: 'refunded' });
    expect(await provider.refund(payment.paymentId, 'another key for the same')).toMatchObject({ state: 'refunded' });
    expect([...stripe.refunds.values()].filter((one) => one['metadata'].paymentId === payment.paymentId)).toHaveLength(1);
    expect(await provider.money(payment.paymentId)).toMatchObject({ captured: 250, refunded: 250, currency: 'GBP' });
  });

  it('of a withdrawn sale goes back through the race table, and both books agree', async () => {
    const sale = await at.sale();
    const { placed, paymentId } = await started(await at.order(sale));
    const session = stripe.sessionOf(paymentId);
    stripe.pay(session);
    await outcomeOf(stripe.event('checkout.session.completed', session));
    await at.service.publisher.publish('sale.changed', { saleId: sale.saleId, version: 9, state: 'WITHDRAWN', beforeArming: false });
    await eventually(async () => expect(await at.state(placed)).toBe('CLOSED sale-withdrawn'));
    expect(postsWith(`refund.${paymentId}`)).toHaveLength(1);
    expect(await at.service.get(PaymentBook).payments(sale.saleId)).toEqual([{ paymentId, orderId: placed.rid, captured: price, refunded: price }]);
  });

  it('is listed by the day, over many pages, and other business of the account is not ours', async () => {
    const span = { fromMs: Date.now() - 60_000, untilMs: Date.now() + 60_000 };
    const payments = Array.from({ length: 130 }, () => order());
    for (const payment of payments) {
      await provider.open(payment);
      stripe.pay(stripe.sessionOf(payment.paymentId));
    }
    await provider.refund(payments[0]!.paymentId, 'r');
    stripe.charges.set('ch_other', { id: 'ch_other', created: Math.floor(Date.now() / 1000), metadata: {}, captured: true, amount_captured: 9, amount_refunded: 0, currency: 'gbp' });
    const found = new Map<string, number>();
    for await (const { paymentId, captured, refunded } of provider.moved(span)) found.set(paymentId, captured - refunded);
    expect(payments.map(({ paymentId }) => found.get(paymentId))).toEqual([0, ...Array.from({ length: 129 }, () => 250)]);
    expect([...found.keys()].every((id) => id.startsWith('pay-'))).toBe(true);
    const booked: string[] = [];
    for await (const { paymentId, state } of provider.book(payments[7]!.orderId)) booked.push(`${paymentId} ${state}`);
    expect(booked).toEqual([`${payments[7]!.paymentId} captured`]);
  });

  it('that was not heard of is found by the comparison of both books, and is right in the next', async () => {
    const { placed, paymentId } = await started();
    stripe.pay(stripe.sessionOf(paymentId));
    const kinds = async () => {
      const answer = await at.service.client.ask('compare-settlement', { provider: 'stripe', day: null }, { timeoutMs: 20_000 });
      const id = answer.ok ? answer.value.id : '';
      await eventually(async () => expect(await at.database.query(`SELECT FROM settlement WHERE id = $1 AND state = 'different'`, [id])).toHaveLength(1));
      const rows = await at.database.query<{ kind: string }>('SELECT kind FROM settlement_difference WHERE settlement_id = $1 AND payment_id = $2 ORDER BY kind', [id, paymentId]);
      return rows.map((row) => row.kind);
    };
    expect(await kinds()).toEqual(['no-order', 'state']);
    expect(await at.state(placed)).toBe('PAID');
    expect(await kinds()).toEqual([]);
  });
});
