import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac, randomUUID } from 'node:crypto';
import { Api, expectStatus, type Buyer } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

describe('promise: money and stock agree', () => {
  let platform: Platform;
  let api: Api;
  beforeAll(async () => {
    platform = await startPlatform();
    api = new Api(platform.run);
  });
  afterAll(() => platform?.stop());

  async function ordered(changes: Record<string, unknown> = {}, quota = 3): Promise<{ buyer: Buyer; id: string; saleId: string }> {
    const sale = await api.armedSale([{ quota }], changes);
    const buyer = api.buyer();
    const { reservationId } = expectStatus(202, await buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }]));
    await buyer.until(reservationId, ['ORDERED']);
    return { buyer, id: reservationId, saleId: sale.id };
  }

  function notice(order: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
    return { id: randomUUID(), type: 'payment.captured', paymentId: 'pay-none', orderId: order, amount: { amount: 250, currency: 'GBP' }, occurredAt: new Date().toISOString(), ...changes };
  }

  function callback(body: unknown, secret = platform.run.sandboxPayment.webhookSecret, atSeconds = Math.floor(Date.now() / 1000)) {
    const raw = typeof body === 'string' ? body : JSON.stringify(body);
    const signature = `t=${atSeconds},v1=${createHmac('sha256', secret).update(`${atSeconds}.${raw}`).digest('hex')}`;
    return api.call('POST', '/v1/payments/callbacks/sandbox', { body: raw, headers: { 'x-signature': signature } });
  }

  it('a capture pays the order once, however often the provider repeats it', async () => {
    const { buyer, id, saleId } = await ordered();
    const payment = expectStatus(201, await buyer.startPayment(id));
    expect(expectStatus(200, await buyer.startPayment(id)).paymentId).toBe(payment.paymentId);
    expect(await buyer.settle(payment.redirectUrl, { outcome: 'capture', repeat: 5 })).toBe(202);
    expect(await buyer.until(id, ['PAID'])).toMatchObject({ terminal: true, reason: null });
    await eventually(async () => {
      expect(await api.audit(saleId)).toMatchObject({ verdict: 'clean', items: [{ held: 0, sold: 1, available: 2, redisAvailable: 2 }], payments: { captured: 1, refunded: 0 } });
    });
  });

  it('a decline releases the order and its stock', async () => {
    const { buyer, id, saleId } = await ordered();
    const payment = expectStatus(201, await buyer.startPayment(id));
    await buyer.settle(payment.redirectUrl, { outcome: 'decline' });
    expect(await buyer.until(id, ['RELEASED'])).toMatchObject({ reason: 'payment-declined', terminal: true });
    await eventually(async () => {
      expect(await api.audit(saleId)).toMatchObject({ verdict: 'clean', items: [{ held: 0, sold: 0, available: 3, redisAvailable: 3 }] });
    });
  });

  it('an order that nobody pays is released when its window ends, its open payment closed at the provider', async () => {
    const { buyer, id, saleId } = await ordered({ paymentWindowSeconds: 1 });
    const started = await buyer.startPayment(id);
    expect(await buyer.until(id, ['RELEASED'])).toMatchObject({ reason: 'payment-timeout' });
    if (started.status === 201) expect(await buyer.settle(started.body.redirectUrl, { outcome: 'capture' })).not.toBe(202);
    await eventually(async () => {
      expect(await api.audit(saleId)).toMatchObject({ verdict: 'clean', items: [{ available: 3, redisAvailable: 3 }], payments: { captured: 0 } });
    });
  });

  it('the first cancel wins, again and again gives the same answer, and a paid order stays paid', async () => {
    const { buyer, id } = await ordered();
    const key = randomUUID();
    expect(expectStatus(202, await buyer.cancel(id, key))).toMatchObject({ id });
    const replay = await buyer.cancel(id, key);
    expect([replay.status, replay.headers.get('idempotency-replayed')]).toEqual([202, 'true']);
    expect(await buyer.until(id, ['RELEASED'])).toMatchObject({ reason: 'cancelled-by-buyer' });
    expect((await buyer.startPayment(id)).body).toMatchObject({ code: 'INVALID_TRANSITION', state: 'RELEASED' });

    const paid = await ordered();
    await paid.buyer.pay(paid.id);
    expect((await paid.buyer.cancel(paid.id)).body).toMatchObject({ code: 'INVALID_TRANSITION', state: 'PAID' });
  });

  it('cancels what is still queued', async () => {
    const sale = await api.armedSale([{ quota: 1 }]);
    const buyer = api.buyer();
    const { reservationId } = expectStatus(202, await buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }]));
    expect((await buyer.cancel(reservationId)).status).toBe(202);
    expect(await buyer.until(reservationId, ['RELEASED'])).toMatchObject({ reason: 'cancelled-by-buyer' });
    await eventually(async () => {
      expect(await api.audit(sale.id)).toMatchObject({ verdict: 'clean', items: [{ available: 1, redisAvailable: 1 }] });
    });
  });

  it('inventory smaller than the quota ends the order as out of inventory and gives the unit back', async () => {
    const sale = await api.armedSale([{ quota: 2 }]);
    expectStatus(200, await api.admin('operator', 'PUT', `/inventory/${sale.items[0]!.skuId}`, { units: 1 }));
    const ids: string[] = [];
    const buyers = [api.buyer(), api.buyer()];
    for (const buyer of buyers) ids.push(expectStatus(202, await buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }])).reservationId);
    const ends = await Promise.all(buyers.map((buyer, i) => buyer.until(ids[i]!, ['ORDERED', 'RELEASED'])));
    expect(ends.map((end) => [end.state, end.reason]).sort((a, b) => String(a[0]).localeCompare(String(b[0])))).toEqual([['ORDERED', null], ['RELEASED', 'out-of-inventory']]);
  });

  it.each([
    ['a wrong amount', (order: string, paymentId: string) => notice(order, { paymentId, amount: { amount: 1, currency: 'GBP' } }), 200],
    ['another currency', (order: string, paymentId: string) => notice(order, { paymentId, amount: { amount: 250, currency: 'EUR' } }), 200],
    ['an unknown order', (_: string, paymentId: string) => notice('none.AAAAAAAAAAAAAAAAAAAAAA', { paymentId }), 200],
    ['an unknown type', (order: string, paymentId: string) => notice(order, { paymentId, type: 'payment.dreamt' }), 200],
    ['a body that is no notice', () => ({ hello: 'there' }), 400],
    ['a body that is no JSON', () => '{"id":', 400],
  ])('changes nothing for %s', async (_, body, status) => {
    const { buyer, id } = await ordered();
    const payment = expectStatus(201, await buyer.startPayment(id));
    expect((await callback(body(id, payment.paymentId))).status).toBe(status);
    expect(expectStatus(200, await buyer.reservation(id)).state).toBe('ORDERED');
  });

  it.each([
    ['forged', () => callback(notice('x.y'), 'another secret')],
    ['stale', () => callback(notice('x.y'), undefined, Math.floor(Date.now() / 1000) - 301)],
    ['missing', () => api.call('POST', '/v1/payments/callbacks/sandbox', { body: notice('x.y') })],
    ['too short', () => api.call('POST', '/v1/payments/callbacks/sandbox', { body: notice('x.y'), headers: { 'x-signature': `t=${Math.floor(Date.now() / 1000)},v1=ab` } })],
  ])('refuses a callback whose signature is %s', async (_, send) => {
    expect((await send()).body).toMatchObject({ status: 401, code: 'BAD_SIGNATURE' });
  });

  it('a capture that the provider has no record of makes the audit unexplained', async () => {
    const { buyer, id, saleId } = await ordered();
    const payment = expectStatus(201, await buyer.startPayment(id));
    expect((await callback(notice(id, { paymentId: payment.paymentId }))).status).toBe(200);
    await eventually(async () => {
      expect(await api.audit(saleId)).toMatchObject({ verdict: 'broken', unexplained: 1 });
    });
  });
});
