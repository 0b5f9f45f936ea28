import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Transaction } from '@floodgate/platform';
import { PurchaseFixture } from '../support/purchase.fixture.js';
import { orderStates, orderTransitions, type OrderState } from './order.transitions.js';

let at: PurchaseFixture;
let sale: string;
beforeAll(async () => {
  at = await PurchaseFixture.start();
  sale = await at.sale({ items: [{ quota: 1_000 }] });
});
afterAll(() => at.drop());

/** Every step of the store, and the states that it may begin in. */
const steps = {
  startClosing: { from: ['PENDING'], take: (tx, rid) => at.orders.startClosing(tx, sale, [rid], 'payment-timeout') },
  fulfil: { from: ['PAID'], take: (tx, rid) => at.orders.fulfil(tx, sale, [rid]) },
  startRefunding: { from: ['PAID'], take: (tx, rid) => at.orders.startRefunding(tx, sale, [rid], 'sale-withdrawn') },
  close: { from: ['PENDING', 'CLOSING', 'STUCK', 'REFUNDING'], take: (tx, rid) => at.orders.close(tx, sale, [rid], 'payment-timeout') },
  pay: { from: ['PENDING', 'CLOSING'], take: (tx, rid) => at.orders.pay(tx, sale, [rid]) },
  unpark: { from: ['STUCK'], take: (tx, rid) => at.orders.unpark(tx, sale, [rid], new Date()) },
} as const satisfies Record<string, { from: readonly OrderState[]; take: (tx: Transaction, rid: string) => Promise<unknown[]> }>;

async function orderIn(state: OrderState): Promise<string> {
  const reservation = at.reservation(sale);
  const { rid } = reservation;
  await at.tx(async (tx) => {
    if (state === 'STUCK') return at.saga.park(tx, sale, 0, [reservation]);
    await at.saga.place(tx, sale, 0, [reservation]);
    if (['PAID', 'FULFILLED', 'REFUNDING'].includes(state)) await at.orders.pay(tx, sale, [rid]);
    if (state === 'FULFILLED') await at.orders.fulfil(tx, sale, [rid]);
    if (state === 'REFUNDING') await at.orders.startRefunding(tx, sale, [rid], 'sale-withdrawn');
    if (state === 'CLOSING') await at.orders.startClosing(tx, sale, [rid], 'payment-timeout');
    if (state === 'CLOSED') await at.orders.close(tx, sale, [rid], 'payment-timeout');
  });
  expect((await at.orders.find(rid))?.state).toBe(state);
  return rid;
}

describe.each(Object.entries(steps))('%s', (_, { from, take }) => {
  it('is a compare-and-set: other states are left as they are', async () => {
    for (const state of orderStates.filter((one) => !(from as readonly OrderState[]).includes(one))) {
      const rid = await orderIn(state);
      const before = await at.orders.find(rid);
      await expect(at.tx((tx) => take(tx, rid))).resolves.toEqual([]);
      expect(await at.orders.find(rid)).toEqual(before);
    }
  });

  it('is taken once by one of many, and raises the version by one', async () => {
    for (const state of from) {
      const rid = await orderIn(state);
      const { version } = (await at.orders.find(rid))!;
      const taken = await Promise.all(Array.from({ length: 5 }, () => at.tx((tx) => take(tx, rid))));
      expect(taken.flat()).toHaveLength(1);
      const after = (await at.orders.find(rid))!;
      expect(orderTransitions[state]).toContain(after.state);
      expect(after.version).toBe(version + 1);
    }
  });
});
