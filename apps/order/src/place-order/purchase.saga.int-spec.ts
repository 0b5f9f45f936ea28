import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isWaiting } from '../saga/saga.js';
import { PurchaseFixture } from '../support/purchase.fixture.js';
import type { PurchaseWork } from './purchase.js';

let at: PurchaseFixture;
let sale: string;
beforeAll(async () => {
  at = await PurchaseFixture.start();
  sale = await at.sale({ items: [{ quota: 50, perAccount: 2 }], perAccount: 2 });
});
afterAll(() => at.drop());

/** Everything that a purchase touches. */
const picture = async (rid: string) => ({
  fate: await at.fates([{ rid }]), counters: await at.counters(sale), entries: await at.entries(sale, rid),
  usage: await at.database.query('SELECT sum(units)::int AS units FROM account_usage WHERE sale_id = $1', [sale]),
  messages: (await at.database.query('SELECT FROM outbox')).length,
});

type Act = 'run' | 'undo';

/** How a step ends badly once its work is done: the worst moment. */
const faults = {
  'an outage': async () => { throw new Error('the server goes away'); },
  'a time-out': async ({ tx }) => {
    await tx.query('SET LOCAL statement_timeout = 50');
    await tx.query('SELECT pg_sleep(30)');
  },
  // What Postgres sees of a process that is killed before its COMMIT.
  'a death': async ({ tx }) => { await tx.query('SELECT pg_terminate_backend(pg_backend_pid())'); },
} as const satisfies Record<string, (work: PurchaseWork) => Promise<void>>;
type Fault = keyof typeof faults;

async function breaking<T>(name: string, act: Act, fault: Fault, work: () => Promise<T>): Promise<T> {
  const step = at.saga.steps.find((one) => one.name === name) as unknown as Record<Act, (work: PurchaseWork, ...rest: unknown[]) => Promise<unknown>>;
  const whole = step[act];
  step[act] = async (shared, ...rest) => {
    await whole(shared, ...rest);
    await faults[fault](shared);
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
const times = (names: readonly string[]) => (Object.keys(faults) as Fault[]).flatMap((fault) => names.map((name) => [fault, name] as const));

describe('on Postgres', () => {
  it.each(times(named(0, pivot).filter((name) => !isWaiting(steps.find((step) => step.name === name)!))))('%s after "%s" leaves nothing, and the next delivery everything', async (fault, name) => {
    const reservation = at.reservation(sale);
    const before = await picture(reservation.rid);
    await expect(breaking(name, 'run', fault, () => at.place(sale, [reservation]))).rejects.toThrow();
    expect(await picture(reservation.rid)).toEqual(before);
    await at.place(sale, [reservation]);
    expect(await at.fates([reservation])).toEqual(['PENDING']);
    await at.close(sale, [reservation.rid]);
  });

  it.each(times(named(0, pivot)))('%s in the undo of "%s" undoes nothing, and the next try all of it, once', async (fault, name) => {
    const untouched = await at.counters(sale);
    const reservation = at.reservation(sale);
    await at.place(sale, [reservation]);
    const before = await picture(reservation.rid);
    await expect(breaking(name, 'undo', fault, () => at.close(sale, [reservation.rid]))).rejects.toThrow();
    expect(await picture(reservation.rid)).toEqual(before);
    expect(await at.close(sale, [reservation.rid])).toHaveLength(1);
    expect(await at.close(sale, [reservation.rid])).toHaveLength(0);
    expect(await at.entries(sale, reservation.rid)).toEqual(['HOLD 1', 'RELEASE 1']);
    expect(await at.counters(sale)).toEqual(untouched);
  });

  it.each(times(named(pivot, steps.length)))('%s after "%s" leaves the order unpaid, and the next notice pays it, once', async (fault, name) => {
    const reservation = at.reservation(sale);
    await at.place(sale, [reservation]);
    const before = await picture(reservation.rid);
    await expect(breaking(name, 'run', fault, () => at.pay(sale, reservation.rid))).rejects.toThrow();
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

describe('done already', () => {
  const live = async () => {
    const reservation = at.reservation(sale);
    await at.place(sale, [reservation]);
    return reservation;
  };

  it('a reservation that has a row is not judged again', async () => {
    const reservation = await live();
    const before = await picture(reservation.rid);
    await expect(at.place(sale, [reservation])).resolves.toEqual([]);
    expect(await picture(reservation.rid)).toEqual(before);
  });

  it('a released order is not paid', async () => {
    const { rid } = await live();
    await at.close(sale, [rid]);
    const before = await picture(rid);
    await expect(at.pay(sale, rid)).resolves.toBeNull();
    expect(await picture(rid)).toEqual(before);
  });

  it('a paid order is not released', async () => {
    const { rid } = await live();
    await at.pay(sale, rid);
    const before = await picture(rid);
    await expect(at.close(sale, [rid])).resolves.toEqual([]);
    expect(await picture(rid)).toEqual(before);
  });
});
