import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@floodgate/platform/testing';
import { currency, OrderHarness, price, type Placed } from '../support/order.harness.js';
import { PaymentJudge } from './payment.judge.js';
import type { ProviderNotice } from '../payment-provider/payment-provider.js';
import type { PaymentState } from './payment-race.js';

let harness: OrderHarness;
beforeAll(async () => {
  harness = await OrderHarness.start();
});
afterAll(() => harness.stop());

const judge = (notice: ProviderNotice) => harness.service.get(PaymentJudge).judge('sandbox', notice);

function notice(placed: Placed, paymentId: string, type: string, changes: Partial<ProviderNotice> = {}): ProviderNotice {
  return { id: randomUUID(), type: `payment.${type}`, paymentId, orderId: placed.rid, amount: { amount: price, currency }, occurredAt: new Date().toISOString(), ...changes };
}

async function paymentRow(placed: Placed, state: PaymentState, pays = false): Promise<string> {
  const paymentId = `pay-${randomUUID()}`;
  await harness.database.query(
    `INSERT INTO payment (payment_id, sale_id, rid, provider, amount, currency, state, pays, expires_at) VALUES ($1, $2, $3, 'sandbox', $4, $5, $6, $7, clock_timestamp() + interval '1 hour')`,
    [paymentId, placed.saleId, placed.rid, price, currency, state, pays]);
  harness.provider.payments.set(paymentId, { paymentId, orderId: placed.rid, amount: { amount: price, currency }, state: state === 'CAPTURED' ? 'captured' : 'open' });
  return paymentId;
}

const paymentNow = async (paymentId: string) =>
  (await harness.database.query<{ state: PaymentState; pays: boolean; refund: string | null }>(
    'SELECT p.state, p.pays, r.state AS refund FROM payment p LEFT JOIN refund r USING (payment_id) WHERE payment_id = $1', [paymentId]))[0]!;

/** Everything that a notice could have changed. */
const picture = async (placed: Placed, paymentId: string) => ({
  row: await harness.row(placed), units: await harness.units(placed), entries: await harness.entries(placed), payment: await paymentNow(paymentId),
});

describe('a notice', () => {
  it.each([
    ['of a wrong amount', { amount: { amount: price + 1, currency } }, 'wrong-amount'],
    ['of nothing', { amount: { amount: 0, currency } }, 'wrong-amount'],
    ['in another currency', { amount: { amount: price, currency: 'EUR' } }, 'wrong-amount'],
    ['for another order', { orderId: 'Sale1.AAAAAAAAAAAAAAAAAAAAAA' }, 'unknown-order'],
    ['for an unknown payment', { paymentId: 'pay-unknown' }, 'unknown-payment'],
    ['of an unknown type', { type: 'payment.dreamt' }, 'unknown-type'],
  ])('%s changes nothing, and is kept', async (_, changes, outcome) => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    const before = await picture(placed, paymentId);
    const sent = notice(placed, paymentId, 'captured', changes);
    expect(await judge(sent)).toBe(outcome);
    expect(await picture(placed, paymentId)).toEqual(before);
    expect(await harness.database.query('SELECT outcome FROM payment_event WHERE event_id = $1', [sent.id])).toEqual([{ outcome }]);
    expect(await judge(sent)).toBe('repeated');
  });

  it.each([
    ['of another type', { type: 'payment.captured' }], ['of another amount', { amount: { amount: price + 1, currency } }], ['for another payment', { paymentId: 'pay-unknown' }],
  ])('that was judged and comes again as one %s is flagged and changes nothing', async (_, changes) => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    const sent = notice(placed, paymentId, 'expired');
    expect(await judge(sent)).toBe('keep');
    const stood = await picture(placed, paymentId);
    expect(await Promise.all([judge({ ...sent, ...changes }), judge({ ...sent, occurredAt: new Date(0).toISOString() })])).toEqual(['altered', 'repeated']);
    expect(await picture(placed, paymentId)).toEqual(stood);
    const [event] = await harness.database.query<{ outcome: string; altered: number; body: ProviderNotice }>(
      'SELECT outcome, altered, altered_body AS body FROM payment_event WHERE event_id = $1', [sent.id]);
    expect(event).toEqual({ outcome: 'keep', altered: 1, body: { ...sent, ...changes } });
  });

  it('leaves nothing of its lane behind', async () => {
    const placed = await harness.order();
    await judge(notice(placed, (await harness.payment(placed)).paymentId, 'captured'));
    expect((harness.service.get(PaymentJudge) as unknown as { lanes: Map<string, unknown> }).lanes.size).toBe(0);
  });

  it('told twenty times at once pays once', async () => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    const sent = notice(placed, paymentId, 'captured');
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => judge(sent)));
    expect(outcomes.filter((outcome) => outcome !== 'repeated')).toEqual(['mark-paid']);
    expect(await harness.entries(placed)).toEqual(['HOLD', 'SELL']);
  });

  it.each([
    ['refunded before captured', ['refunded', 'captured'], 'REFUNDED', 'PENDING'],
    ['declined after captured', ['captured', 'declined'], 'CAPTURED', 'PAID'],
    ['expired after captured', ['captured', 'expired'], 'CAPTURED', 'PAID'],
    ['captured after expired', ['expired', 'captured'], 'CAPTURED', 'PAID'],
  ])('%s leaves the truth standing', async (_, types, payment, order) => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    for (const type of types) await judge(notice(placed, paymentId, type));
    expect([(await paymentNow(paymentId)).state, await harness.state(placed)]).toEqual([payment, order]);
  });

  it('of money for a sale that was withdrawn meanwhile pays the order and gives it back', async () => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    // Done with: only the notice itself can send this order on its way.
    await harness.database.query(`UPDATE sale SET state = 'WITHDRAWN', withdrawal_done = true WHERE sale_id = $1`, [placed.saleId]);
    harness.provider.settle(paymentId, 'captured');
    expect(await judge(notice(placed, paymentId, 'captured'))).toBe('mark-paid');
    await eventually(async () => expect(await harness.state(placed)).toBe('CLOSED sale-withdrawn'));
    expect(await harness.entries(placed)).toEqual(['HOLD', 'SELL', 'RELEASE']);
  });
});

describe('notices of one lane that come together', () => {
  const many = async (count: number) => {
    const sale = await harness.sale({}, count);
    const orders = await Promise.all(Array.from({ length: count }, () => harness.order(sale)));
    const payments = await Promise.all(orders.map((placed) => harness.payment(placed)));
    return { sale, placed: orders.map((order, i) => ({ order, paymentId: payments[i]!.paymentId })) };
  };

  it('are judged each by itself, also several of one order', async () => {
    const { sale, placed } = await many(40);
    const types = [['captured'], ['declined'], ['expired'], ['captured', 'captured', 'declined'], ['expired', 'captured', 'refunded']];
    const outcomes = await Promise.all(placed.flatMap(({ order, paymentId }, i) => types[i % types.length]!.map((type) => judge(notice(order, paymentId, type)))));
    expect(outcomes.slice(0, 10)).toEqual(['mark-paid', 'close', 'keep', 'mark-paid', 'old-news', 'old-news', 'keep', 'mark-paid', 'report', 'mark-paid']);
    expect(await harness.units(sale)).toEqual({ held: 8, sold: 24, free: 8 });
    const states = await Promise.all(placed.slice(0, 5).map(({ order }) => harness.state(order)));
    expect(states).toEqual(['PAID', 'CLOSED payment-declined', 'PENDING', 'PAID', 'PAID']);
  });

  it('do not suffer from one that cannot be applied', async () => {
    const { sale, placed } = await many(12);
    const bad = placed[5]!;
    await harness.database.query(`
      CREATE FUNCTION refuse_paid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'this order cannot be paid'; END $$;
      CREATE TRIGGER refuse_paid BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.state = 'PAID' AND NEW.rid = '${bad.order.rid}') EXECUTE FUNCTION refuse_paid();`);
    const notices = placed.map(({ order, paymentId }) => notice(order, paymentId, 'captured'));
    const settled = await Promise.allSettled(notices.map(judge));
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual(placed.map((one) => (one === bad ? 'failed' : 'mark-paid')));
    expect(await harness.units(sale)).toEqual({ held: 1, sold: 11, free: 0 });
    await harness.database.query('DROP TRIGGER refuse_paid ON orders');
    // Nothing of the failure was kept, so the provider's next try is not a repetition.
    expect(await judge(notices[5]!)).toBe('mark-paid');
  });
});

describe('money that no order can take', () => {
  it('is given back once, however often it is told of, and though the provider is away at first', async () => {
    const placed = await harness.orderIn('CLOSED');
    const paymentId = await paymentRow(placed, 'CLOSED');
    harness.provider.settle(paymentId, 'captured');
    harness.provider.away = true;
    await Promise.all([1, 2, 3].map(() => judge(notice(placed, paymentId, 'captured'))));
    await eventually(async () => {
      const [row] = await harness.database.query<{ attempts: number }>('SELECT attempts FROM refund WHERE payment_id = $1 AND last_error IS NOT NULL', [paymentId]);
      expect(row?.attempts).toBeGreaterThan(0);
    });
    harness.provider.away = false;
    await eventually(async () => expect(await paymentNow(paymentId)).toMatchObject({ state: 'REFUNDED', refund: 'DONE' }));
    await judge(notice(placed, paymentId, 'captured'));
    await judge(notice(placed, paymentId, 'refunded'));
    expect(harness.provider.refunds.filter((id) => id.includes(paymentId))).toHaveLength(1);
    expect(await harness.state(placed)).toBe('CLOSED payment-timeout');
  });

  it('of a second payment is given back, and the order stays paid', async () => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    await judge(notice(placed, paymentId, 'captured'));
    const second = await paymentRow(placed, 'EXPIRED');
    harness.provider.settle(second, 'captured');
    expect(await judge(notice(placed, second, 'captured'))).toBe('refund');
    await eventually(async () => expect(await paymentNow(second)).toMatchObject({ state: 'REFUNDED', pays: false, refund: 'DONE' }));
    expect(await harness.state(placed)).toBe('PAID');
    expect(await paymentNow(paymentId)).toMatchObject({ state: 'CAPTURED', pays: true, refund: null });
  });
});

describe('money that the provider gives back by itself', () => {
  it('is reported, and lets a withdrawn order end without a refund of ours', async () => {
    const sale = await harness.sale();
    const placed = await harness.order(sale);
    const { paymentId } = await harness.payment(placed);
    await judge(notice(placed, paymentId, 'captured'));
    harness.provider.settle(paymentId, 'refunded');
    expect(await judge(notice(placed, paymentId, 'refunded'))).toBe('report');
    expect(await harness.state(placed)).toBe('PAID');
    await harness.service.publisher.publish('sale.changed', { saleId: sale.saleId, version: 9, state: 'WITHDRAWN', beforeArming: false });
    await eventually(async () => expect(await harness.state(placed)).toBe('CLOSED sale-withdrawn'));
    expect(await paymentNow(paymentId)).toEqual({ state: 'REFUNDED', pays: true, refund: null });
    expect(await harness.entries(placed)).toEqual(['HOLD', 'SELL', 'RELEASE']);
  });
});

describe('a lost notice', () => {
  it('is made up for by asking the provider', async () => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    harness.provider.settle(paymentId, 'captured');
    await harness.database.query('UPDATE payment SET next_ask_at = clock_timestamp() WHERE payment_id = $1', [paymentId]);
    await eventually(async () => expect(await harness.state(placed)).toBe('PAID'));
    expect(await judge(notice(placed, paymentId, 'captured'))).toBe('old-news');
  });
});
