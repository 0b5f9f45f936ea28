import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SaleDocument } from '@floodgate/contracts';
import { eventually } from '@floodgate/platform/testing';
import { PaymentJudge } from '../payment/payment.judge.js';
import { PostgresRecordsStore } from '../reconcile/postgres-records.store.js';
import { WithdrawSaleJob } from '../sale/withdraw-sale.job.js';
import { currency, OrderHarness, price, type Placed } from '../support/order.harness.js';
import { Sweeper } from '../sweeper/sweeper.js';

let a: OrderHarness;
let b: OrderHarness;
beforeAll(async () => {
  a = await OrderHarness.start();
  b = await OrderHarness.start(undefined, a);
});
afterAll(async () => {
  await b?.stop();
  await a?.stop();
});

const both = <T>(work: (at: OrderHarness) => Promise<T>): Promise<T[]> => Promise.all([a, b].map(work));

function tell(placed: Placed, paymentId: string, type: string): Promise<unknown> {
  const notice = { id: randomUUID(), type: `payment.${type}`, paymentId, orderId: placed.rid, amount: { amount: price, currency }, occurredAt: new Date().toISOString() };
  return both((at) => at.service.get(PaymentJudge).judge('sandbox', notice));
}

/** What happens to an order, at both instances at once; each leaves it in the state named. */
const stories: Record<string, { ends: string; happens: (placed: Placed) => Promise<unknown> }> = {
  'nobody pays': { ends: 'CLOSED payment-timeout', happens: due },
  'a payment is begun and left': { ends: 'CLOSED payment-timeout', happens: async (placed) => { await a.payment(placed); await due(placed); } },
  'a payment is begun at both': {
    ends: 'PAID',
    happens: async (placed) => {
      const ids = new Set((await both((at) => at.payment(placed))).map(({ paymentId }) => paymentId));
      expect(ids.size).toBe(1);
      await capture(placed, [...ids][0]!);
    },
  },
  'it is paid, and told of many times': { ends: 'PAID', happens: async (placed) => capture(placed, (await a.payment(placed)).paymentId, 3) },
  'it is paid, and nobody is told': {
    ends: 'PAID',
    happens: async (placed) => {
      a.provider.settle((await a.payment(placed)).paymentId, 'captured');
      await due(placed);
    },
  },
  'the payment is declined': { ends: 'CLOSED payment-declined', happens: async (placed) => tell(placed, (await a.payment(placed)).paymentId, 'declined') },
  'the buyer cancels': { ends: 'CLOSED cancelled-by-buyer', happens: (placed) => both((at) => at.cancel(placed)) },
  'its message comes again': { ends: 'PENDING', happens: (placed) => both((at) => at.database.transaction((tx) => at.saga.place(tx, placed.saleId, 0, [placed.reservation, placed.reservation]))) },
};

async function due({ rid }: Placed): Promise<void> {
  await a.database.query('UPDATE orders SET pay_by = clock_timestamp() WHERE rid = $1', [rid]);
  await both((at) => at.service.get(Sweeper).tick());
}

async function capture(placed: Placed, paymentId: string, times = 1): Promise<void> {
  a.provider.settle(paymentId, 'captured');
  await Promise.all(Array.from({ length: times }, () => tell(placed, paymentId, 'captured')));
}

describe('two instances of the order service on one database', () => {
  const perStory = 6;
  let sale: SaleDocument;
  const told: { placed: Placed; story: string }[] = [];

  it('bring every order to the one end that it would have with one', async () => {
    sale = await a.sale({}, perStory * Object.keys(stories).length);
    for (const story of Object.keys(stories)) for (let n = 0; n < perStory; n++) told.push({ placed: await [a, b][n % 2]!.order(sale), story });
    await Promise.all(told.map(({ placed, story }) => stories[story]!.happens(placed)));
    await eventually(async () => {
      const ends = await Promise.all(told.map(async ({ placed, story }) => [story, await a.state(placed)]));
      expect(ends).toEqual(told.map(({ story }) => [story, stories[story]!.ends]));
    }, 60_000);
    expect(a.provider.refunds).toEqual([]);
    expect(await a.units(sale)).toEqual({ held: perStory, sold: 3 * perStory, free: 4 * perStory });
  }, 120_000);

  it('withdraw a sale together: every payment is given back once, every unit comes back once', async () => {
    await a.service.publisher.publish('sale.changed', { saleId: sale.saleId, version: 9, state: 'WITHDRAWN' });
    await eventually(async () => {
      await both((at) => at.service.get(WithdrawSaleJob).tick());
      expect(await a.service.client.ask('get-withdrawal', { actor: { accountId: 'o', roles: ['operator'] }, saleId: sale.saleId })).toEqual(
        { ok: true, value: { saleId: sale.saleId, open: 0, refunding: 0, closed: told.length, total: told.length, done: true } });
    }, 60_000);
    expect(a.provider.refunds).toHaveLength(3 * perStory);
    expect(new Set(a.provider.refunds).size).toBe(3 * perStory);
    expect(await a.units(sale)).toEqual({ held: 0, sold: 0, free: told.length });
    const { contradictions, faults } = (await a.service.get(PostgresRecordsStore).read(sale.saleId))!;
    expect({ contradictions, faults }).toEqual({ contradictions: [], faults: [] });
  }, 120_000);
});
