import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@floodgate/platform/testing';
import { OrderHarness, type Placed } from '../support/order.harness.js';

let harness: OrderHarness;
beforeAll(async () => {
  harness = await OrderHarness.start();
});
afterEach(() => {
  harness.provider.away = false;
  harness.provider.whileClosing = async () => undefined;
});
afterAll(() => harness.stop());

const cancelled = (placed: Placed, replayed = false) => ({ ok: true, value: { replayed, cancelled: { id: placed.rid, state: 'RELEASED' } } });
const releasedOnce = async (placed: Placed) => {
  expect(await harness.state(placed)).toBe('CLOSED cancelled-by-buyer');
  expect(await harness.units(placed)).toEqual({ held: 0, sold: 0, free: 10 });
  expect((await harness.entries(placed)).filter((entry) => entry === 'RELEASE')).toHaveLength(1);
};
const gone = (seen: string) => ({ ok: false, code: 'INVALID_TRANSITION', extra: { state: seen } });

describe('cancel-order', () => {
  it.each(['PENDING', 'STUCK'] as const)('gives the unit of a %s order back once, and says so again and again', async (state) => {
    const placed = await harness.orderIn(state);
    const key = randomUUID();
    expect(await harness.cancel(placed, { key })).toEqual(cancelled(placed));
    await releasedOnce(placed);
    expect(await harness.cancel(placed, { key })).toEqual(cancelled(placed, true));
    expect(await harness.cancel(placed)).toEqual(cancelled(placed));
    await releasedOnce(placed);
  });

  it('closes the live payment at the provider before it gives the unit back', async () => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    harness.provider.whileClosing = async () => {
      expect(await harness.state(placed)).toBe('CLOSING cancelled-by-buyer');
      expect(await harness.units(placed)).toMatchObject({ held: 1 });
    };
    expect(await harness.cancel(placed)).toEqual(cancelled(placed));
    expect(harness.provider.payments.get(paymentId)?.state).toBe('closed');
    await releasedOnce(placed);
  });

  it('comes too late when the buyer pays in the very moment', async () => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    harness.provider.whileClosing = async () => harness.provider.settle(paymentId, 'captured');
    expect(await harness.cancel(placed)).toMatchObject(gone('PAID'));
    expect(await harness.state(placed)).toBe('PAID');
    expect(await harness.entries(placed)).toEqual(['HOLD', 'SELL']);
  });

  it('keeps holding while the provider is away, binds nothing, and is finished by the sweeper', async () => {
    const placed = await harness.order();
    await harness.payment(placed);
    const key = randomUUID();
    harness.provider.away = true;
    expect(await harness.cancel(placed, { key })).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    expect(await harness.state(placed)).toBe('CLOSING cancelled-by-buyer');
    expect(await harness.units(placed)).toMatchObject({ held: 1 });
    harness.provider.away = false;
    await eventually(() => releasedOnce(placed));
    expect(await harness.cancel(placed, { key })).toEqual(cancelled(placed));
  });

  it('finishes an order that is being closed for another reason, and says what became of it', async () => {
    const placed = await harness.orderIn('CLOSING');
    expect(await harness.cancel(placed)).toMatchObject(gone('RELEASED'));
    expect(await harness.state(placed)).toBe('CLOSED payment-timeout');
  });

  it.each([['PAID', 'PAID'], ['FULFILLED', 'FULFILLED'], ['REFUNDING', 'PAID'], ['CLOSED', 'RELEASED']] as const)('refuses an order in %s, seen as %s', async (state, seen) => {
    // A refund would end the order in REFUNDING while the test looks at it.
    harness.provider.away = true;
    const placed = await harness.orderIn(state);
    const before = await harness.row(placed);
    expect(await harness.cancel(placed)).toMatchObject(gone(seen));
    expect(await harness.row(placed)).toEqual(before);
  });

  it('decides the fate of an order before it exists: its message finds it cancelled', async () => {
    const sale = await harness.sale();
    const placed = harness.reserved(sale);
    const key = randomUUID();
    expect(await harness.cancel(placed, { key, reservation: { ...placed.reservation, lane: 0 } })).toEqual(cancelled(placed));
    expect(await harness.cancel(placed, { key })).toEqual(cancelled(placed, true));
    await harness.service.publisher.publish('place-order', { saleId: sale.saleId, lane: 0, epoch: 1, reservations: [placed.reservation] });
    const later = harness.reserved(sale);
    await harness.service.publisher.publish('place-order', { saleId: sale.saleId, lane: 0, epoch: 1, reservations: [later.reservation] });
    await eventually(async () => expect(await harness.state(later)).toBe('PENDING'));
    expect(await harness.state(placed)).toBe('CLOSED cancelled-by-buyer');
    expect(await harness.units(placed)).toEqual({ held: 1, sold: 0, free: 9 });
    expect(harness.service.heard.some(({ name, body }) => name === 'sync-stock' && body.rows.some((row) => row.rid === placed.rid && !row.holds))).toBe(true);
  });

  it('of twenty at once, some while the order is made, gives the unit back once', async () => {
    const sale = await harness.sale();
    const placed = harness.reserved(sale);
    const ask = () => harness.cancel(placed, { reservation: { ...placed.reservation, lane: 0 } });
    const making = harness.database.transaction((tx) => harness.saga.place(tx, placed.saleId, 0, [placed.reservation]));
    const outcomes = await Promise.all([...Array.from({ length: 20 }, ask), making]);
    expect(outcomes.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => cancelled(placed)));
    expect(await harness.state(placed)).toBe('CLOSED cancelled-by-buyer');
    expect(await harness.units(placed)).toEqual({ held: 0, sold: 0, free: 10 });
  });

  it('does not know other people\'s orders, nor what Redis does not know', async () => {
    const placed = await harness.order();
    const stranger = { ...placed, accountId: 'somebody-else' };
    const unmade = harness.reserved(await harness.sale());
    const reservation = { ...unmade.reservation, lane: 0 };
    for (const outcome of [
      await harness.cancel(stranger), await harness.cancel({ ...placed, rid: 'x' }), await harness.cancel(unmade),
      await harness.cancel({ ...unmade, accountId: 'somebody-else' }, { reservation }), await harness.cancel(stranger, { reservation: { ...placed.reservation, lane: 0 } }),
      await harness.cancel(unmade, { reservation: { ...reservation, rid: placed.rid } }),
    ]) expect(outcome).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    expect(await harness.state(placed)).toBe('PENDING');
  });
});
