import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Placed } from '../support/order.harness.js';
import { OrderHarness } from '../support/order.harness.js';

let harness: OrderHarness;
beforeAll(async () => {
  harness = await OrderHarness.start();
});
afterEach(() => {
  harness.provider.away = false;
});
afterAll(() => harness.stop());

const paymentsOf = (placed: Placed) =>
  harness.database.query<{ paymentId: string; state: string }>('SELECT payment_id AS "paymentId", state FROM payment WHERE rid = $1 ORDER BY created_at', [placed.rid]);

describe('start-payment', () => {
  it('opens a payment until the order\'s time to pay is over', async () => {
    const placed = await harness.order();
    const { payBy } = await harness.row(placed);
    expect(await harness.startPayment(placed)).toEqual({
      ok: true,
      value: {
        status: 201, replayed: false,
        payment: {
          paymentId: expect.stringMatching(/^[A-Za-z0-9._~-]{1,64}$/), provider: 'sandbox', amount: { amount: 250, currency: 'GBP' },
          redirectUrl: expect.stringMatching(/^http/), expiresAt: payBy!.toISOString(),
        },
      },
    });
  });

  it('gives the live payment back to another key, and the first answer to the same', async () => {
    const placed = await harness.order();
    const key = randomUUID();
    const first = await harness.startPayment(placed, { key });
    const payment = (first as { value: { payment: unknown } }).value.payment;
    const another = randomUUID();
    expect(await harness.startPayment(placed, { key: another })).toEqual({ ok: true, value: { status: 200, replayed: false, payment } });
    expect(await harness.startPayment(placed, { key: another })).toEqual({ ok: true, value: { status: 200, replayed: true, payment } });
    expect(await harness.startPayment(placed, { key })).toEqual({ ok: true, value: { status: 201, replayed: true, payment } });
    expect(await harness.startPayment(placed, { key, returnUrl: 'https://shop.example/' })).toMatchObject({ ok: false, code: 'IDEMPOTENCY_KEY_REUSED' });
    await harness.cancel(placed);
    expect(await harness.startPayment(placed, { key })).toEqual({ ok: true, value: { status: 201, replayed: true, payment } });
    expect(await paymentsOf(placed)).toHaveLength(1);
  });

  it.each([['one key', () => 'the same'], ['a key each', () => randomUUID()]])('makes one payment of twenty starts at once, with %s', async (_, key) => {
    const placed = await harness.order();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => harness.startPayment(placed, { key: key() })));
    const values = outcomes.map((outcome) => (outcome.ok ? outcome.value : null));
    expect(new Set(values.map((value) => value?.payment.paymentId)).size).toBe(1);
    expect(values.filter((value) => value?.status === 201 && !value.replayed)).toHaveLength(1);
    expect(await paymentsOf(placed)).toHaveLength(1);
  });

  it('answers many buyers at once, each for the own order', async () => {
    const sale = await harness.sale({}, 30);
    const orders = await Promise.all(Array.from({ length: 30 }, () => harness.order(sale)));
    const asks = orders.flatMap((placed, i) => [placed, i % 3 === 0 ? { ...placed, accountId: 'somebody-else' } : placed]);
    const outcomes = await Promise.all(asks.map((placed) => harness.startPayment(placed)));
    const seen = outcomes.map((outcome) => (outcome.ok ? outcome.value.payment.paymentId : outcome.code));
    expect(new Set(seen).size).toBe(31);
    orders.forEach((_, i) => expect(seen[2 * i + 1]).toBe(i % 3 === 0 ? 'NOT_FOUND' : seen[2 * i]));
    expect(outcomes.filter((outcome) => outcome.ok && outcome.value.status === 201)).toHaveLength(30);
  });

  it('binds nothing while the provider is away, and the same key gets a new payment afterwards', async () => {
    const placed = await harness.order();
    const key = randomUUID();
    harness.provider.away = true;
    expect(await harness.startPayment(placed, { key })).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    expect(await paymentsOf(placed)).toMatchObject([{ state: 'STARTING' }]);
    harness.provider.away = false;
    expect(await harness.startPayment(placed, { key })).toMatchObject({ ok: true, value: { status: 201, replayed: false } });
    expect(await paymentsOf(placed)).toMatchObject([{ state: 'OPEN' }]);
  });

  it('starts another payment after one that expired', async () => {
    const placed = await harness.order();
    const first = await harness.payment(placed);
    await harness.database.query(`UPDATE payment SET state = 'EXPIRED' WHERE payment_id = $1`, [first.paymentId]);
    expect(await harness.startPayment(placed)).toMatchObject({ ok: true, value: { status: 201 } });
    expect((await paymentsOf(placed)).map((payment) => payment.state)).toEqual(['EXPIRED', 'OPEN']);
  });

  it.each([['CLOSING', 'ORDERED'], ['STUCK', 'QUEUED'], ['PAID', 'PAID'], ['FULFILLED', 'FULFILLED'], ['REFUNDING', 'PAID'], ['CLOSED', 'RELEASED']] as const)('refuses an order in %s, seen as %s', async (state, seen) => {
    const placed = await harness.orderIn(state);
    expect(await harness.startPayment(placed)).toMatchObject({ ok: false, code: 'INVALID_TRANSITION', extra: { state: seen } });
    expect(await paymentsOf(placed)).toEqual([]);
  });

  it('refuses an order whose time is over though the sweeper has not come by', async () => {
    const placed = await harness.order();
    await harness.database.query('UPDATE orders SET pay_by = clock_timestamp() WHERE rid = $1', [placed.rid]);
    expect(await harness.startPayment(placed)).toMatchObject({ ok: false, code: 'INVALID_TRANSITION' });
    expect(await paymentsOf(placed)).toEqual([]);
  });

  it('does not know other people\'s orders, nor those that are none', async () => {
    const placed = await harness.order();
    for (const other of [{ ...placed, accountId: 'somebody-else' }, { ...placed, rid: `${placed.saleId}.AAAAAAAAAAAAAAAAAAAAAA` }, { ...placed, rid: 'x' }]) {
      expect(await harness.startPayment(other)).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    }
  });

  it.each(['myapp://paid', 'mailto:a@b.example', 'javascript:alert(1)', `https://shop.example/${'x'.repeat(2_048)}`])('writes nothing for an address that nobody can be sent back to: %.40s', async (returnUrl) => {
    const placed = await harness.order();
    expect(await harness.startPayment(placed, { returnUrl })).toMatchObject({ ok: false, code: 'INVALID_REQUEST', extra: { errors: [{ path: '/returnUrl' }] } });
    expect(await paymentsOf(placed)).toEqual([]);
    expect(await harness.startPayment(placed)).toMatchObject({ ok: true, value: { status: 201 } });
  });

  it('refuses a provider that there is not', async () => {
    const placed = await harness.order();
    expect(await harness.startPayment(placed, { provider: 'cash' })).toMatchObject({ ok: false, code: 'INVALID_REQUEST', extra: { errors: [{ path: '/provider' }] } });
  });
});
