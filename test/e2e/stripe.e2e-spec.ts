import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

// By name, so that the compiler does not take the app for a part of this project.
const load = (path: string): Promise<any> => import(path);
const { PretendStripe, stripeKey, stripeWebhookSecret } = await load('../../apps/order/src/support/pretend.stripe.ts');

describe('promise: a second payment provider beside the first', () => {
  const stripe = new PretendStripe();
  let platform: Platform;
  let api: Api;
  beforeAll(async () => {
    const apiUrl = await stripe.start();
    platform = await startPlatform({
      serviceEnv: async () => ({ order: { STRIPE_SECRET_KEY: stripeKey, STRIPE_WEBHOOK_SECRET: stripeWebhookSecret, STRIPE_RETURN_URL: 'https://shop.example/', STRIPE_API_URL: apiUrl } }),
    });
    api = new Api(platform.run);
  });
  afterAll(async () => {
    await platform?.stop();
    await stripe.stop();
  });

  const callback = ({ body, headers }: { body: Buffer; headers: Record<string, string> }, provider = 'stripe') =>
    api.call('POST', `/v1/payments/callbacks/${provider}`, { body: body.toString(), headers });

  it('a checkout session pays the order by its webhook, byte for byte as Stripe signed it', async () => {
    const sale = await api.armedSale([{ quota: 2 }]);
    const buyer = api.buyer();
    const { reservationId } = expectStatus(202, await buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }]));
    await buyer.until(reservationId, ['ORDERED']);
    const start = (provider: string) => api.call('POST', `/v1/orders/${reservationId}/payments`, { token: buyer.token, key: randomUUID(), body: { provider } });
    expect((await start('cash')).body).toMatchObject({ status: 400, code: 'INVALID_REQUEST', errors: [{ path: '/provider' }] });
    const payment = expectStatus(201, await start('stripe'));
    const session = stripe.sessionOf(payment.paymentId);
    expect(payment).toMatchObject({ provider: 'stripe', redirectUrl: session.url });

    stripe.pay(session);
    const event = stripe.event('checkout.session.completed', session);
    expect((await callback({ ...event, headers: {} })).body).toMatchObject({ status: 401, code: 'BAD_SIGNATURE' });
    expect((await callback(event, 'sandbox')).status).toBe(401);
    expect((await callback(event, 'cash')).status).toBe(404);
    expect((await callback(event)).status).toBe(200);
    expect(await buyer.until(reservationId, ['PAID'])).toMatchObject({ reason: null });
    await eventually(async () => expect(await api.audit(sale.id)).toMatchObject({ verdict: 'clean', payments: { captured: 1, refunded: 0 } }));
    const settlement = () => api.admin('auditor', 'GET', '/settlements/stripe');
    expect((await settlement()).body).toMatchObject({ state: 'equal', payments: { there: 1, here: 1 }, differences: [] });
    stripe.charges.get(stripe.intents.get(session.payment_intent).latest_charge).amount_refunded = 250;
    const different = expectStatus(200, await settlement());
    expect(different).toMatchObject({ state: 'different', counts: { 'refund-unasked': 1, 'paid-and-refunded': 1 } });
    expect((await api.admin('auditor', 'GET', `/settlements/stripe/${different.id}`)).body).toEqual(different);
    expect((await api.admin('auditor', 'GET', '/settlements/cash')).status).toBe(404);
  });
});
