import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Actor, Answer, OrderView, Outcome, Page, SaleDocument } from '@floodgate/contracts';
import { OrderHarness, type Placed } from '../support/order.harness.js';

let at: OrderHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
}, 30_000);
afterAll(() => at.stop());

function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(outcome.detail);
  return outcome.value;
}

/** An order of this account. */
async function orderOf(sale: SaleDocument, accountId: string): Promise<Placed> {
  const placed = at.reserved(sale, accountId);
  await at.database.transaction((tx) => at.saga.place(tx, sale.saleId, 0, [placed.reservation]));
  return placed;
}

const reservation = ({ rid, accountId }: Placed) => at.service.client.ask('get-reservation', { rid, accountId });
const order = ({ rid, accountId }: Placed) => at.service.client.ask('get-order', { rid, accountId });
const explain = ({ rid, accountId }: Placed) => at.service.client.ask('explain-reservation', { rid, accountId });
const actor = (role: string, accountId = 'somebody'): Actor => ({ accountId, roles: [role] });

describe('a buyer', () => {
  it('sees a reservation and its order as they stand', async () => {
    const sale = await at.sale();
    const placed = await orderOf(sale, 'ann');
    const item = { itemId: sale.items[0]!.itemId, quantity: 1 };
    const amount = { amount: 250, currency: 'GBP' };
    expect(value(await reservation(placed))).toMatchObject({
      id: placed.rid, saleId: sale.saleId, items: [item], state: 'ORDERED', terminal: false, reason: null, orderId: placed.rid, amount,
      payBy: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/), ahead: 0, version: 1,
    });
    expect(value(await order(placed))).toMatchObject({
      id: placed.rid, reservationId: placed.rid, items: [{ ...item, skuId: sale.items[0]!.skuId, title: 'Item', price: amount }], amount, state: 'ORDERED', reason: null,
    });
    await at.database.transaction((tx) => at.saga.closeOrders(tx, sale.saleId, [placed.rid], 'payment-timeout'));
    expect(value(await reservation(placed))).toMatchObject({ state: 'RELEASED', terminal: true, reason: 'payment-timeout', version: 2, pollAfterMs: 0 });
  });

  it.each([
    ['CLOSING', { state: 'ORDERED', terminal: false, reason: null }], ['STUCK', { state: 'QUEUED', terminal: false, orderId: null, amount: null, ahead: null }],
    ['PAID', { state: 'PAID', terminal: true }], ['FULFILLED', { state: 'FULFILLED', terminal: true }], ['REFUNDING', { state: 'PAID', terminal: false, reason: null }],
  ] as const)('sees of an order in %s what concerns a buyer', async (state, seen) => {
    expect(value(await reservation(await at.orderIn(state)))).toMatchObject(seen);
  });

  it("does not see another's, nor one that is not there", async () => {
    const placed = await at.order();
    const another = { ...placed, accountId: 'mallory' };
    for (const answer of [await reservation(another), await order(another), await explain(another), await order({ ...placed, rid: `${placed.saleId}.${'x'.repeat(22)}` }), await order({ ...placed, rid: 'no-reservation' })]) {
      expect(answer).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    }
  });

  it('lists their own, newest first, page by page, of one sale or of all', async () => {
    const [one, two] = [await at.sale(), await at.sale()];
    const mine = [await orderOf(one, 'lou'), await orderOf(two, 'lou'), await orderOf(one, 'lou'), await orderOf(two, 'lou')].map(({ rid }) => rid);
    await orderOf(one, 'ann');
    const seen: string[] = [];
    for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
      const answer: Answer<'list-orders'> = await at.service.client.ask('list-orders', { accountId: 'lou', limit: 3, cursor });
      const page: Page<OrderView> = value(answer);
      seen.push(...page.items.map((item) => item.id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(mine.toReversed());
    const ofOne = value(await at.service.client.ask('list-reservations', { accountId: 'lou', saleId: one.saleId, limit: 20, cursor: null }));
    expect(ofOne).toMatchObject({ items: [{ id: mine[2] }, { id: mine[0] }], nextCursor: null });
  });

  it.each(['nonsense', 'e30', Buffer.from('["a","b"]').toString('base64url'), Buffer.from('[1e300,""]').toString('base64url')])('is told of a cursor that is not ours: %s', async (cursor) => {
    expect(await at.service.client.ask('list-orders', { accountId: 'lou', limit: 3, cursor })).toMatchObject({ ok: false, code: 'INVALID_REQUEST' });
  });

  it('reads in the ledger why an attempt ended as it did', async () => {
    const sale = await at.sale({}, 2);
    const placed = [await orderOf(sale, 'a'), await orderOf(sale, 'b'), await orderOf(sale, 'c')];
    await at.database.transaction((tx) => at.saga.markPaid(tx, sale.saleId, placed[0]!.rid));
    await at.database.transaction((tx) => at.saga.closeOrders(tx, sale.saleId, [placed[1]!.rid], 'payment-declined'));
    const told = async (one: Placed) => value(await explain(one)).entries.map(({ entry, remainingBefore, remainingAfter }) => [entry, remainingBefore, remainingAfter]);
    expect(await told(placed[0]!)).toEqual([['HOLD', 2, 1], ['SELL', 0, 0]]);
    expect(await told(placed[1]!)).toEqual([['HOLD', 1, 0], ['RELEASE', 0, 1]]);
    expect(await told(placed[2]!)).toEqual([['NOT_HELD', 0, 0]]);
    expect(value(await explain(placed[2]!))).toMatchObject({ state: 'RELEASED', reason: 'order-rejected', number: 1 });
  });
});

describe('staff', () => {
  it.each([['merchant', 'm-1', true], ['merchant', 'm-2', false], ['operator', 'o', true], ['auditor', 'o', true], ['approver', 'o', true], ['buyer', 'm-1', false]])(
    'as %s %s may read a sale of m-1: %s', async (role, accountId, may) => {
      const sale = await at.sale();
      const placed = [await at.order(sale), await at.order(sale)].map(({ rid }) => rid).sort();
      const list = (cursor: string | null) => at.service.client.ask('list-sale-orders', { actor: actor(role, accountId), saleId: sale.saleId, limit: 1, cursor });
      const first = await list(null);
      const report = await at.service.client.ask('get-sale-report', { actor: actor(role, accountId), saleId: sale.saleId });
      expect([first.ok, report.ok]).toEqual([may, may]);
      if (!may) return expect(first).toMatchObject({ code: 'NOT_FOUND' });
      const second = value(await list(value(first).nextCursor));
      expect([...value(first).items, ...second.items].map((item) => item.id)).toEqual(placed);
      return expect(second.nextCursor).toBeNull();
    });

  it('reads how a sale went', async () => {
    const sale = await at.sale({}, 3);
    const [paid, closed] = [await at.order(sale), await at.order(sale), await at.order(sale)];
    await orderOf(sale, 'late');
    await at.database.transaction((tx) => at.saga.markPaid(tx, sale.saleId, paid.rid));
    await at.database.transaction((tx) => at.saga.closeOrders(tx, sale.saleId, [closed.rid], 'payment-timeout'));
    const report = value(await at.service.client.ask('get-sale-report', { actor: actor('operator'), saleId: sale.saleId }));
    expect(report).toMatchObject({
      saleId: sale.saleId, funnel: { reserved: 4, ordered: 3, paid: 1, open: 1, released: 2, 'payment-timeout': 1, 'order-rejected': 1 },
      soldOutAt: expect.stringMatching(/Z$/), amount: { amount: 250, currency: 'GBP' },
    });
    expect(Object.keys(report.percentiles)).toHaveLength(4);
    expect(report.items).toEqual(sale.items.map(({ itemId }) => ({ itemId, soldOutAt: report.soldOutAt })));
    const sum = (of: 'reserved' | 'ordered' | 'paid' | 'released') => report.perSecond.reduce((total, row) => total + row[of], 0);
    expect([report.startedAt, sum('reserved'), sum('ordered'), sum('paid'), sum('released')]).toEqual([expect.stringMatching(/00Z$/), 4, 3, 1, 2]);
    expect(report.perSecond.map(({ second }) => second)).toEqual([...new Set(report.perSecond.map(({ second }) => second))].toSorted((a, b) => a - b));
    const fresh = value(await at.service.client.ask('get-sale-report', { actor: actor('operator'), saleId: (await at.sale()).saleId }));
    expect(fresh).toMatchObject({ funnel: { reserved: 0 }, soldOutAt: null, amount: { amount: 0 }, percentiles: {}, startedAt: null, perSecond: [] });
  });

  it('sets the real stock, and the change is written down', async () => {
    const { items: [item] } = await at.sale({}, 4);
    const { skuId } = item!;
    const set = (sku: string, units: number) => at.service.client.ask('set-inventory', { actor: actor('operator', 'op-7'), skuId: sku, units });
    expect(value(await set(skuId, 1))).toMatchObject({ skuId, units: 1 });
    expect(value(await set(`new-${skuId}`, 9))).toMatchObject({ skuId: `new-${skuId}`, units: 9 });
    expect(value(await at.service.client.ask('get-inventory', { skuId }))).toMatchObject({ skuId, units: 1 });
    expect(await at.service.client.ask('get-inventory', { skuId: 'nothing' })).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    const changes = await at.database.query('SELECT sku_id AS sku, actor, units_before AS before, units_after AS after FROM inventory_change WHERE sku_id LIKE $1 ORDER BY id', [`%${skuId}`]);
    expect(changes).toEqual([{ sku: skuId, actor: 'op-7', before: 4, after: 1 }, { sku: `new-${skuId}`, actor: 'op-7', before: null, after: 9 }]);
  });
});
