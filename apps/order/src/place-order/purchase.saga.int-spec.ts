import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isWaiting } from '../saga/saga.js';
import { PurchaseFixture } from '../support/purchase.fixture.js';

let at: PurchaseFixture;
let sale: string;
beforeAll(async () => {
  at = await PurchaseFixture.start();
  sale = await at.sale({ items: [{ perAccount: 2 }], perAccount: 2 });
});
afterAll(() => at.drop());

/** Everything that a purchase touches. */
const picture = async (rid: string) => ({
  fate: await at.fates([{ rid }]), counters: await at.counters(sale), entries: await at.entries(sale, rid),
  usage: await at.database.query('SELECT sum(units)::int AS units FROM account_usage WHERE sale_id = $1', [sale]),
  messages: (await at.database.query('SELECT FROM outbox')).length,
});

type Act = 'run' | 'undo';

/** The step does its work once more, and then the server goes away: the worst moment. */
async function breaking<T>(name: string, act: Act, work: () => Promise<T>): Promise<T> {
  const step = at.saga.steps.find((one) => one.name === name) as unknown as Record<Act, (...args: unknown[]) => Promise<unknown>>;
  const whole = step[act];
  step[act] = async (...args) => {
    await whole(...args);
    throw new Error('the server goes away');
  };
  try {
    return await work();
  } finally {
    step[act] = whole;
  }
}

// The rows are known before the database is there: the table needs none.
const { PurchaseSaga } = await import('./purchase.saga.js');
const steps = new PurchaseSaga({} as never, {} as never, {} as never).steps;
const pivot = steps.findIndex((step) => !step.undo);
const named = (from: number, to: number) => steps.slice(from, to).map((step) => step.name);

describe('on Postgres', () => {
  it.each(named(0, pivot).filter((name) => !isWaiting(steps.find((step) => step.name === name)!)))('an outage after "%s" leaves nothing, and the next delivery everything', async (name) => {
    const reservation = at.reservation(sale);
    const before = await picture(reservation.rid);
    await expect(breaking(name, 'run', () => at.place(sale, [reservation]))).rejects.toThrow('goes away');
    expect(await picture(reservation.rid)).toEqual(before);
    await at.place(sale, [reservation]);
    expect(await at.fates([reservation])).toEqual(['PENDING']);
    await at.close(sale, [reservation.rid]);
  });

  it.each(named(0, pivot))('an outage in the undo of "%s" undoes nothing, and the next try all of it, once', async (name) => {
    const untouched = await at.counters(sale);
    const reservation = at.reservation(sale);
    await at.place(sale, [reservation]);
    const before = await picture(reservation.rid);
    await expect(breaking(name, 'undo', () => at.close(sale, [reservation.rid]))).rejects.toThrow('goes away');
    expect(await picture(reservation.rid)).toEqual(before);
    expect(await at.close(sale, [reservation.rid])).toHaveLength(1);
    expect(await at.close(sale, [reservation.rid])).toHaveLength(0);
    expect(await at.entries(sale, reservation.rid)).toEqual(['HOLD 1', 'RELEASE 1']);
    expect(await at.counters(sale)).toEqual(untouched);
  });

  it.each(named(pivot, steps.length))('an outage after "%s" leaves the order unpaid, and the next notice pays it, once', async (name) => {
    const reservation = at.reservation(sale);
    await at.place(sale, [reservation]);
    const before = await picture(reservation.rid);
    await expect(breaking(name, 'run', () => at.pay(sale, reservation.rid))).rejects.toThrow('goes away');
    expect(await picture(reservation.rid)).toEqual(before);
    expect((await at.pay(sale, reservation.rid))?.state).toBe('PAID');
    expect(await at.pay(sale, reservation.rid)).toBeNull();
    expect(await at.close(sale, [reservation.rid])).toEqual([]);
    expect(await at.entries(sale, reservation.rid)).toEqual(['HOLD 1', 'SELL 1']);
  });

  it('a paid order gives its units back only through a refund', async () => {
    const { free } = await at.counters(sale);
    const reservation = at.reservation(sale);
    await at.place(sale, [reservation]);
    await at.pay(sale, reservation.rid);
    await at.tx((tx) => at.orders.startRefunding(tx, sale, [reservation.rid], 'sale-withdrawn'));
    expect((await at.close(sale, [reservation.rid], 'payment-timeout')).map((order) => [order.state, order.reason])).toEqual([['CLOSED', 'sale-withdrawn']]);
    expect(await at.entries(sale, reservation.rid)).toEqual(['HOLD 1', 'SELL 1', 'RELEASE 1']);
    expect((await at.counters(sale)).free).toBe(free);
  });

  it('of a close and a payment at the same moment, one happens', async () => {
    const all = Array.from({ length: 6 }, () => at.reservation(sale));
    await at.place(sale, all);
    const before = await at.counters(sale);
    const results = await Promise.all(all.flatMap(({ rid }) => [at.pay(sale, rid), at.close(sale, [rid])]));
    const fates = await at.fates(all);
    const paid = fates.filter((fate) => fate === 'PAID').length;
    expect(fates.filter((fate) => fate === 'CLOSED payment-timeout')).toHaveLength(all.length - paid);
    expect(results.flat().filter(Boolean)).toHaveLength(all.length);
    expect(await at.counters(sale)).toMatchObject({ held: before.held - all.length, sold: before.sold + paid });
  });
});
