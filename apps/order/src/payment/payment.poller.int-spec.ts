import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { metrics } from '@floodgate/platform';
import { eventually } from '@floodgate/platform/testing';
import { OrderHarness, type Placed } from '../support/order.harness.js';
import { PretendProvider } from '../support/pretend.provider.js';

const other = new PretendProvider('other');
let at: OrderHarness;
beforeAll(async () => {
  at = await OrderHarness.start(undefined, undefined, () => [other]);
});
afterEach(() => {
  at.provider.away = false;
  other.away = false;
});
afterAll(() => at.stop());

/** A payment that nobody will be told of. */
async function started(provider = 'sandbox'): Promise<{ placed: Placed; paymentId: string }> {
  const placed = await at.order();
  const outcome = await at.startPayment(placed, { provider });
  if (!outcome.ok) throw new Error(outcome.detail);
  return { placed, paymentId: outcome.value.payment.paymentId };
}
const due = (...paymentIds: string[]) => at.database.query('UPDATE payment SET next_ask_at = clock_timestamp() WHERE payment_id = ANY($1)', [paymentIds]);
const asksOf = async (paymentId: string) =>
  (await at.database.query<{ asks: number; inSeconds: number }>('SELECT asks, extract(epoch FROM next_ask_at - clock_timestamp())::float8 AS "inSeconds" FROM payment WHERE payment_id = $1', [paymentId]))[0]!;

describe('a payment whose notice never comes', () => {
  it('is found at the provider, and pays the order', async () => {
    const { placed, paymentId } = await started();
    at.provider.settle(paymentId, 'captured');
    await due(paymentId);
    await eventually(async () => expect(await at.state(placed)).toBe('PAID'));
    expect(await metrics.metrics()).toMatch(/floodgate_payment_asks_total\{[^}]*provider="sandbox",outcome="mark-paid"\} [1-9]/);
  });

  it('is asked about ever more seldom while the buyer takes the time', async () => {
    const { paymentId } = await started();
    expect(await asksOf(paymentId)).toMatchObject({ asks: 0 });
    let before = 0;
    for (const asks of [1, 2, 3]) {
      await due(paymentId);
      await eventually(async () => expect(await asksOf(paymentId)).toMatchObject({ asks }));
      const { inSeconds } = await asksOf(paymentId);
      expect(inSeconds).toBeGreaterThan(before);
      before = inSeconds;
    }
  });

  it('is asked about though it was closed here: money that came all the same goes back', async () => {
    const { placed, paymentId } = await started();
    expect(await at.cancel(placed)).toMatchObject({ ok: true });
    await eventually(async () => expect(await at.state(placed)).toBe('CLOSED cancelled-by-buyer'));
    at.provider.settle(paymentId, 'captured');
    await due(paymentId);
    await eventually(() => expect(at.provider.refunds).toContain(`refund.${paymentId}`));
  });

  it('and ended long ago is asked about once more, and then never again', async () => {
    const { placed, paymentId } = await started();
    await at.cancel(placed);
    await eventually(async () => expect(await at.state(placed)).toBe('CLOSED cancelled-by-buyer'));
    await at.database.query(`UPDATE payment SET updated_at = clock_timestamp() - interval '2 hours', next_ask_at = clock_timestamp() WHERE payment_id = $1`, [paymentId]);
    await eventually(async () => expect(await at.database.query(`SELECT FROM payment WHERE payment_id = $1 AND next_ask_at = 'infinity'`, [paymentId])).toHaveLength(1));
  });

  it('does not wait for another provider that is down', async () => {
    other.away = true;
    const stuck = await Promise.all(Array.from({ length: 40 }, () => started('sandbox')));
    const payments = stuck.map(({ paymentId }) => paymentId);
    await at.database.query(`UPDATE payment SET provider = 'other', next_ask_at = clock_timestamp() - interval '1 hour' WHERE payment_id = ANY($1)`, [payments]);
    const { placed, paymentId } = await started();
    at.provider.settle(paymentId, 'captured');
    await due(paymentId);
    await eventually(async () => expect(await at.state(placed)).toBe('PAID'));
  });

  it('is asked about again soon after its provider was down, and was not tried meanwhile', async () => {
    other.away = true;
    const { placed, paymentId } = await started('sandbox');
    await at.database.query(`UPDATE payment SET provider = 'other' WHERE payment_id = $1`, [paymentId]);
    other.payments.set(paymentId, at.provider.payments.get(paymentId)!);
    other.settle(paymentId, 'captured');
    await at.database.query(`UPDATE payment SET next_ask_at = clock_timestamp() - interval '2 hours' WHERE payment_id = $1`, [paymentId]);
    await eventually(async () => {
      const { asks, inSeconds } = await asksOf(paymentId);
      expect([asks, inSeconds > 0]).toEqual([0, true]);
      expect(await metrics.metrics()).toMatch(/floodgate_payment_asks_total\{[^}]*provider="other",outcome="unavailable"\} [1-9]/);
    });
    other.away = false;
    await eventually(async () => expect(await at.state(placed)).toBe('PAID'));
  });
});

describe('a payment goes by its own provider', () => {
  it('when it is opened, closed, told about and refunded', async () => {
    const { placed, paymentId } = await started('other');
    expect([other.payments.has(paymentId), at.provider.payments.has(paymentId)]).toEqual([true, false]);
    await at.cancel(placed);
    await eventually(async () => expect(await at.state(placed)).toBe('CLOSED cancelled-by-buyer'));
    expect(other.payments.get(paymentId)?.state).toBe('closed');
    other.settle(paymentId, 'captured');
    const body = { id: `ev-${paymentId}`, type: 'payment.captured', paymentId, orderId: placed.rid, amount: other.payments.get(paymentId)!.amount, occurredAt: new Date().toISOString() };
    const tell = (provider: string) => at.service.client.ask('payment-notice', { provider, headers: {}, body: Buffer.from(JSON.stringify(body)).toString('base64') });
    expect(await tell('sandbox')).toMatchObject({ ok: true, value: { outcome: 'unknown-payment' } });
    expect(await tell('other')).toMatchObject({ ok: true, value: { outcome: 'refund' } });
    await eventually(() => expect(other.refunds).toEqual([`refund.${paymentId}`]));
    expect(at.provider.refunds).not.toContain(`refund.${paymentId}`);
    expect(await tell('cash')).toMatchObject({ ok: false, code: 'NOT_FOUND' });
  });

  it('and keeps its units where that is not configured any more', async () => {
    const { placed, paymentId } = await started();
    await at.database.query(`UPDATE payment SET provider = 'bygone' WHERE payment_id = $1`, [paymentId]);
    expect(await at.cancel(placed)).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    expect(await at.state(placed)).toBe('CLOSING cancelled-by-buyer');
    expect(await at.units(placed)).toEqual({ held: 1, sold: 0, free: 9 });
  });
});
