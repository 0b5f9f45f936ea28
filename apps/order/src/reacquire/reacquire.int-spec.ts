import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { reacquiredId, unpackItems, type Answer, type Ask, type AttemptResult, type AuditView, type SaleDocument, type View } from '@floodgate/contracts';
import { Answers, Broker, Shutdown } from '@floodgate/platform';
import { eventually, MessagingHarness } from '@floodgate/platform/testing';
import { Controller } from '@nestjs/common';
import { OrderStore } from '../order/order.store.js';
import { PaymentJudge } from '../payment/payment.judge.js';
import { currency, OrderHarness, price, type Placed } from '../support/order.harness.js';
import { PretendSeckill, pretendLanes } from '../support/pretend.seckill.js';
import { LateMoney } from './late-money.js';
import { ReacquireJob } from './reacquire.job.js';
import { ReacquisitionStore } from './reacquisition.store.js';
import { ReserveDoorClient } from './reserve-door.client.js';

/** One answer of the door. `reserves`: the units are held and place-order is on its way, whatever it says. */
interface Says {
  word: AttemptResult['word'];
  reserves?: boolean;
}
const yes: Says = { word: 'reserved', reserves: true };

/** What the door says to each rid, one answer after the other, the last one for ever; and what it was asked. */
const script = new Map<string, Says[]>();
const asked: Ask<'reserve'>['attempts'] = [];
let placeOrder: (saleId: string, attempt: Ask<'reserve'>['attempts'][number]) => Promise<void>;

/** Seckill's door, which says what it is told to. */
@Controller()
class PretendDoor {
  @Answers('reserve')
  async reserve({ saleId, attempts }: Ask<'reserve'>): Promise<Answer<'reserve'>> {
    const results = await Promise.all(attempts.map(async (attempt): Promise<AttemptResult> => {
      asked.push(attempt);
      const answers = script.get(attempt.rid) ?? [yes];
      const { word, reserves } = answers.length > 1 ? answers.shift()! : answers[0]!;
      if (reserves) await placeOrder(saleId, attempt);
      return { word };
    }));
    return { results };
  }
}

let at: OrderHarness;
let seckill: MessagingHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
  placeOrder = (saleId, { rid, accountId, ipHash, items }) => at.service.publisher.publish('place-order', {
    saleId, lane: 0, epoch: 1, reservations: [{ rid, accountId, ipHash, items: unpackItems(items), number: 2, reservedAtMs: Date.now() }],
  });
  seckill = await (await MessagingHarness.start({ controllers: [PretendSeckill, PretendDoor], namespace: at.service.get(Broker).names.namespace, service: 'seckill' })).ready();
});
afterAll(async () => {
  await seckill.close();
  await at.stop();
});

interface Late {
  sale: SaleDocument;
  old: Placed;
  renewed: Placed;
  paymentId: string;
}

/** An order that was closed for want of payment, and its payment, captured after all; nobody has been told yet. */
async function late(changes: Partial<SaleDocument> = {}, quota = 3): Promise<Late> {
  const sale = await at.sale({ latePayment: 'reacquire', ...changes }, quota);
  pretendLanes.set(sale.saleId, { allotments: new Map([[sale.items[0]!.itemId, quota]]), rows: new Map(), relayLength: 0 });
  const old = await at.order(sale);
  const { paymentId } = await at.payment(old);
  await at.database.query('UPDATE orders SET pay_by = clock_timestamp() WHERE rid = $1', [old.rid]);
  await eventually(async () => expect(await at.state(old)).toBe('CLOSED payment-timeout'));
  at.provider.settle(paymentId, 'captured');
  return { sale, old, renewed: { ...old, rid: reacquiredId(sale.saleId, sale.ridSecret, old.accountId, old.rid) }, paymentId };
}

const tell = ({ old, paymentId }: Pick<Late, 'old' | 'paymentId'>, type: string) => at.service.get(PaymentJudge).judge('sandbox', {
  id: randomUUID(), type: `payment.${type}`, paymentId, orderId: old.rid, amount: { amount: price, currency }, occurredAt: new Date().toISOString(),
});

const paymentNow = async (paymentId: string) => (await at.database.query(
  `SELECT p.rid, p.state, p.pays, p.opened_for AS "openedFor", r.state AS refund, q.state AS late, q.reason FROM payment p
   LEFT JOIN refund r USING (payment_id) LEFT JOIN reacquisition q USING (payment_id) WHERE payment_id = $1`, [paymentId]))[0];

const refundsOf = (paymentId: string) => at.provider.refunds.filter((id) => id.includes(paymentId));
const reacquired = async ({ old, renewed, paymentId }: Late) => {
  expect(await paymentNow(paymentId)).toEqual({ rid: renewed.rid, state: 'CAPTURED', pays: true, openedFor: old.rid, refund: null, late: 'REACQUIRED', reason: null });
  expect([await at.state(old), await at.state(renewed)]).toEqual(['CLOSED payment-timeout', 'PAID']);
};
const refunded = async ({ old, paymentId }: Late, reason: unknown) => {
  expect(await paymentNow(paymentId)).toEqual({ rid: old.rid, state: 'REFUNDED', pays: false, openedFor: null, refund: 'DONE', late: 'REFUNDED', reason });
  expect(refundsOf(paymentId)).toHaveLength(1);
};
const heard = (name: string, rid: string) => at.service.heard.flatMap((message) => (message.name === name ? (message.body as { orders: { rid: string }[] }).orders : [])).filter((order) => order.rid === rid);

async function audit(saleId: string): Promise<AuditView> {
  const answer = await at.service.client.ask('audit-sale', { saleId });
  if (!answer.ok) throw new Error(answer.detail);
  return answer.value;
}

async function orderView({ rid, accountId }: Placed): Promise<View.OrderView> {
  const answer = await at.service.client.ask('get-order', { rid, accountId });
  if (!answer.ok) throw new Error(answer.detail);
  return answer.value;
}

describe('late money of a sale that reacquires', () => {
  it('buys its units again as a new order, which is linked, told of, and explained in every record', async () => {
    const all = await late();
    const { sale, old, renewed, paymentId } = all;
    expect(await tell(all, 'captured')).toBe('late');
    await eventually(() => reacquired(all));
    expect(await at.entries(old)).toEqual(['HOLD', 'RELEASE']);
    expect(await at.entries(renewed)).toEqual(['HOLD', 'SELL']);
    expect(asked.filter(({ rid }) => rid === renewed.rid)[0]).toMatchObject({ gate: 'readmitted', accountId: old.accountId });
    expect([(await orderView(old)).replacedBy, (await orderView(renewed)).replaces]).toEqual([renewed.rid, old.rid]);
    const list = await at.service.client.ask('list-orders', { accountId: old.accountId, limit: 10, cursor: null });
    expect(list.ok && list.value.items.map(({ id, state, replacedBy, replaces }) => [id, state, replacedBy ?? replaces])).toEqual([[renewed.rid, 'PAID', old.rid], [old.rid, 'RELEASED', renewed.rid]]);
    await eventually(() => expect(heard('order.replaced', old.rid)).toMatchObject([{ state: 'RELEASED', replacedBy: renewed.rid }]));
    await eventually(async () => expect(await audit(sale.saleId)).toMatchObject({
      verdict: 'clean', findings: [], items: [{ held: 0, sold: 1, available: 2 }], payments: { captured: 1, refunded: 0 },
    }));
    expect(await tell(all, 'captured')).toBe('old-news');
    expect(refundsOf(paymentId)).toEqual([]);
  });

  it.each(['sold-out', 'limit-reached', 'ended', 'item-not-found', 'key-reused', 'gated'] as const)('is given back once where the door says %s, and the buyer is told', async (word) => {
    const all = await late();
    script.set(all.renewed.rid, [{ word }]);
    await tell(all, 'captured');
    await eventually(() => refunded(all, word));
    await eventually(() => expect(heard('payment.returned', all.old.rid)).toHaveLength(1));
    expect(await at.orders.find(all.renewed.rid)).toBeNull();
    expect((await orderView(all.old)).replacedBy).toBeUndefined();
    await eventually(async () => expect(await audit(all.sale.saleId)).toMatchObject({ verdict: 'clean', payments: { captured: 1, refunded: 1 } }));
  });

  it.each(['unavailable', 'outcome-unknown', 'paused', 'not-open'] as const)('asks again under the same id where the door says %s', async (word) => {
    const all = await late();
    script.set(all.renewed.rid, [{ word }, { word }, yes]);
    await tell(all, 'captured');
    await eventually(() => reacquired(all));
    expect(asked.filter(({ rid }) => rid === all.renewed.rid).length).toBeGreaterThanOrEqual(3);
    expect(await at.units(all.sale)).toEqual({ held: 0, sold: 1, free: 2 });
  });

  it('takes one unit where the answer was lost after the units were held', async () => {
    const all = await late();
    script.set(all.renewed.rid, [{ word: 'outcome-unknown', reserves: true }, { word: 'sold-out' }]);
    await tell(all, 'captured');
    await eventually(() => reacquired(all));
    expect(await at.units(all.sale)).toEqual({ held: 0, sold: 1, free: 2 });
  });

  it('leaves no way back for a question that may have been heard, once it is given back', async () => {
    const all = await late();
    script.set(all.renewed.rid, [{ word: 'outcome-unknown' }, { word: 'sold-out' }]);
    await tell(all, 'captured');
    await eventually(() => refunded(all, 'sold-out'));
    await expect(at.state(all.renewed)).resolves.toBe('CLOSED order-rejected');
    await placeOrder(all.sale.saleId, asked.find(({ rid }) => rid === all.renewed.rid)!);
    const after = await at.order(all.sale);
    expect([await at.state(all.renewed), await at.state(after)]).toEqual(['CLOSED order-rejected', 'PENDING']);
    expect(await at.entries(all.renewed)).toEqual([]);
  });

  it('is given back where the arbiter knows better than the door', async () => {
    const all = await late({}, 1);
    const other = await at.order(all.sale);
    await tell(all, 'captured');
    await eventually(() => refunded(all, 'the new order was CLOSED order-rejected'));
    expect([await at.state(all.renewed), await at.state(other)]).toEqual(['CLOSED order-rejected', 'PENDING']);
    expect(await at.units(all.sale)).toEqual({ held: 1, sold: 0, free: 0 });
  });

  it('buys once where two payments of the old order come late', async () => {
    const all = await late();
    const second = `pay-${randomUUID()}`;
    await at.database.query(
      `INSERT INTO payment (payment_id, sale_id, rid, provider, amount, currency, state) VALUES ($1, $2, $3, 'sandbox', $4, $5, 'CLOSED')`, [second, all.sale.saleId, all.old.rid, price, currency]);
    at.provider.payments.set(second, { paymentId: second, orderId: all.old.rid, amount: { amount: price, currency }, state: 'captured' });
    expect(await Promise.all([tell(all, 'captured'), tell({ ...all, paymentId: second }, 'captured')])).toEqual(['late', 'late']);
    await eventually(async () => {
      const both = await Promise.all([all.paymentId, second].map(paymentNow)) as { state: string; late: string }[];
      expect(both.map(({ state, late: ended }) => `${state} ${ended}`).toSorted()).toEqual(['CAPTURED REACQUIRED', 'REFUNDED REFUNDED']);
    });
    expect(refundsOf(all.paymentId).length + refundsOf(second).length).toBe(1);
    expect(await at.units(all.sale)).toEqual({ held: 0, sold: 1, free: 2 });
    await eventually(async () => expect(await audit(all.sale.saleId)).toMatchObject({ verdict: 'clean', payments: { captured: 2, refunded: 1 } }));
  });

  it('is worked on by several at once, and again from anywhere, with one effect', async () => {
    const all = await late({}, 2);
    script.set(all.renewed.rid, [yes]);
    await tell(all, 'captured');
    const jobs = Array.from({ length: 4 }, () => new ReacquireJob(
      at.service.get(ReacquisitionStore), at.service.get(OrderStore), at.service.get(ReserveDoorClient), at.service.get(LateMoney), new Shutdown()));
    await eventually(async () => {
      // As after crashes: no lease holds, so each takes what another one is at.
      await at.database.query(`UPDATE reacquisition SET next_attempt_at = clock_timestamp() WHERE payment_id = $1 AND state = 'WAITING'`, [all.paymentId]);
      await Promise.all(jobs.map((job) => job.tick()));
      await reacquired(all);
    });
    expect(await at.units(all.sale)).toEqual({ held: 0, sold: 1, free: 1 });
    expect(await at.entries(all.renewed)).toEqual(['HOLD', 'SELL']);
    // One that was held up since before the end, too.
    const { rid, renewed: { rid: newRid }, reservation } = { ...all, ...all.old };
    const delayed = { ...reservation, paymentId: all.paymentId, saleId: all.sale.saleId, rid, newRid, lane: 0, reservedAt: new Date(), captured: true, attempts: 2, ageSeconds: 1 };
    expect([await at.service.get(LateMoney).settle(delayed), await at.service.get(LateMoney).giveUp(delayed, 'too long', false)]).toEqual(['ended', 'ended']);
    expect(await at.database.query('SELECT FROM refund WHERE payment_id = $1', [all.paymentId])).toEqual([]);
  });

  it('does not wait for a door that stays shut', async () => {
    const all = await late();
    script.set(all.renewed.rid, [{ word: 'unavailable' }]);
    await tell(all, 'captured');
    await eventually(async () => expect(await at.database.query(`SELECT FROM reacquisition WHERE payment_id = $1 AND last_error LIKE '%unavailable%'`, [all.paymentId])).toHaveLength(1));
    expect(await audit(all.sale.saleId)).toMatchObject({ verdict: 'unknown', unexplained: 0 });
    await at.database.query(`UPDATE reacquisition SET created_at = clock_timestamp() - interval '1 hour', next_attempt_at = clock_timestamp() WHERE payment_id = $1`, [all.paymentId]);
    await eventually(() => refunded(all, 'no answer from the reserve door'));
    expect(await at.state(all.renewed)).toBe('CLOSED order-rejected');
  });

  it('that the provider gives back meanwhile is not given back again', async () => {
    const all = await late();
    script.set(all.renewed.rid, [{ word: 'unavailable' }]);
    await tell(all, 'captured');
    at.provider.settle(all.paymentId, 'refunded');
    expect(await tell(all, 'refunded')).toBe('keep');
    await eventually(async () => expect(await paymentNow(all.paymentId)).toMatchObject({ state: 'REFUNDED', refund: null, late: 'REFUNDED', reason: 'the provider gave it back' }));
    expect(refundsOf(all.paymentId)).toEqual([]);
  });

  it('of a sale that is withdrawn in between pays the new order and is given back', async () => {
    const all = await late();
    script.set(all.renewed.rid, [{ word: 'unavailable' }]);
    await tell(all, 'captured');
    const { rid, accountId, reservation } = all.renewed;
    await at.database.transaction((tx) => at.saga.place(tx, all.sale.saleId, 0, [{ ...reservation, rid, accountId }]));
    // Done with: only the late money itself can send this order on its way.
    await at.database.query(`UPDATE sale SET state = 'WITHDRAWN', withdrawal_done = true WHERE sale_id = $1`, [all.sale.saleId]);
    await at.database.query('UPDATE reacquisition SET next_attempt_at = clock_timestamp() WHERE payment_id = $1', [all.paymentId]);
    await eventually(async () => expect(await at.state(all.renewed)).toBe('CLOSED sale-withdrawn'));
    expect(refundsOf(all.paymentId)).toHaveLength(1);
    expect(await at.entries(all.renewed)).toEqual(['HOLD', 'SELL', 'RELEASE']);
  });

  it('is known by the old order to its provider: a dispute is reported, and a withdrawal ends the order without a second refund', async () => {
    const all = await late();
    await tell(all, 'captured');
    await eventually(() => reacquired(all));
    at.provider.settle(all.paymentId, 'refunded');
    expect(await tell(all, 'refunded')).toBe('report');
    expect(await at.state(all.renewed)).toBe('PAID');
    await at.service.publisher.publish('sale.changed', { saleId: all.sale.saleId, version: 9, state: 'WITHDRAWN', beforeArming: false });
    await eventually(async () => expect(await at.state(all.renewed)).toBe('CLOSED sale-withdrawn'));
    expect(refundsOf(all.paymentId)).toEqual([]);
    expect(await paymentNow(all.paymentId)).toMatchObject({ state: 'REFUNDED', refund: null });
  });
});

describe('late money of other sales and orders', () => {
  it('is given back at once where the sale refunds, and the buyer is told once', async () => {
    const all = await late({ latePayment: 'refund' });
    expect(await tell(all, 'captured')).toBe('late');
    await eventually(async () => expect(await paymentNow(all.paymentId)).toMatchObject({ rid: all.old.rid, state: 'REFUNDED', refund: 'DONE', late: null }));
    await eventually(() => expect(heard('payment.returned', all.old.rid)).toHaveLength(1));
    expect(asked.filter(({ rid }) => rid === all.renewed.rid)).toEqual([]);
  });

  it('is given back where the sale was withdrawn since', async () => {
    const all = await late();
    await at.database.query(`UPDATE sale SET state = 'WITHDRAWN', withdrawal_done = true WHERE sale_id = $1`, [all.sale.saleId]);
    await tell(all, 'captured');
    await eventually(async () => expect(await paymentNow(all.paymentId)).toMatchObject({ state: 'REFUNDED', refund: 'DONE', late: null }));
    expect(asked.filter(({ rid }) => rid === all.renewed.rid)).toEqual([]);
  });
});
