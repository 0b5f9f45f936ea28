import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { itemId, type Answer, type OrderView, type SaleDocument } from '@floodgate/contracts';
import { Broker } from '@floodgate/platform';
import { eventually, MessagingHarness } from '@floodgate/platform/testing';
import { OrderHarness, price, type Placed } from '../support/order.harness.js';
import { PretendPools, pools } from '../support/pretend.pools.js';
import { CodeOwnerStore } from './code-owner.store.js';

let at: OrderHarness;
let seckill: MessagingHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
  seckill = await (await MessagingHarness.start({ controllers: [PretendPools], namespace: at.service.get(Broker).names.namespace, service: 'seckill' })).ready();
}, 60_000);
afterEach(() => { pools.away = false; });
afterAll(async () => {
  await seckill.close();
  await at.stop();
});

const merchant = { accountId: 'm-1', roles: ['merchant'] };
const operator = { accountId: 'o-1', roles: ['operator'] };
const named = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
const first = (sale: SaleDocument) => sale.items[0]!.itemId;

/** A sale of one voucher item, with these codes. */
async function voucherSale(codes: readonly string[]): Promise<SaleDocument> {
  const item: SaleDocument['items'][number] = {
    itemId: itemId(randomBytes(5).toString('hex'), 1), skuId: `sku-${randomUUID()}`, title: 'Voucher', imageUrl: null, kind: 'voucher', price, listPrice: null, quota: 10, perAccount: null,
  };
  const sale = await at.sale({ items: [item] });
  if (codes.length > 0) await importCodes(sale, codes);
  return sale;
}

const importCodes = (sale: Pick<SaleDocument, 'saleId' | 'items'>, codes: readonly string[], again: { importId?: string; chunk?: number } = {}) =>
  at.service.client.ask('import-codes', { importId: again.importId ?? randomUUID(), chunk: again.chunk ?? 0, actor: merchant, saleId: sale.saleId, itemId: first(sale as SaleDocument), codes: [...codes] });

async function paid(sale: SaleDocument): Promise<Placed> {
  const placed = await at.order(sale);
  const { paymentId } = await at.payment(placed);
  at.provider.settle(paymentId, 'captured');
  await at.database.transaction(async (tx) => {
    await at.saga.markPaid(tx, sale.saleId, placed.rid);
    await tx.query(`UPDATE payment SET state = 'CAPTURED', pays = true WHERE payment_id = $1`, [paymentId]);
  });
  return placed;
}

async function seen({ rid, accountId }: Placed): Promise<OrderView> {
  const answer: Answer<'get-order'> = await at.service.client.ask('get-order', { rid, accountId });
  if (!answer.ok) throw new Error(answer.detail);
  return answer.value;
}

async function fulfilled(placed: Placed): Promise<string[]> {
  return eventually(async () => {
    const order = await seen(placed);
    expect(order.state).toBe('FULFILLED');
    return order.codes!;
  }, 20_000);
}

describe('importing codes', () => {
  it('adds each code once: within a chunk, over chunks, and again later', async () => {
    const sale = await at.sale();
    expect(await importCodes(sale, ['a', 'b', 'a', 'c'])).toEqual({ added: 3, duplicates: 1 });
    expect(await importCodes(sale, ['c', 'd'])).toEqual({ added: 1, duplicates: 1 });
    expect(await importCodes(sale, ['a', 'b', 'c', 'd'])).toEqual({ added: 0, duplicates: 4 });
    expect(await at.service.client.ask('get-code-pool', { saleId: sale.saleId, itemId: first(sale) })).toMatchObject({ total: 4, free: 4, issued: 0, onRefund: 'burn' });
  });

  it('answers a chunk that is sent again as it did the first time', async () => {
    const sale = await at.sale();
    const importId = randomUUID();
    const once = await importCodes(sale, ['a', 'b'], { importId });
    expect([once, await importCodes(sale, ['a', 'b'], { importId }), await importCodes(sale, ['a', 'b'], { importId, chunk: 1 })])
      .toEqual([{ added: 2, duplicates: 0 }, { added: 2, duplicates: 0 }, { added: 0, duplicates: 2 }]);
  });

  it('keeps no code in clear, whatever table is looked at', async () => {
    const canary = `CANARY-${randomUUID()}`;
    const sale = await voucherSale([canary]);
    const order = await paid(sale);
    expect(await fulfilled(order)).toEqual([canary]);
    const tables = await at.database.query<{ name: string }>(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'orders'`);
    for (const { name } of tables) {
      const rows = await at.database.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t WHERE strpos(t::text, $1) > 0 OR strpos(t::text, $2) > 0`, [canary, Buffer.from(canary).toString('hex')]);
      expect([name, rows.length]).toEqual([name, 0]);
    }
  });
});

describe('issuing codes', () => {
  it('a paid order gets its own, is FULFILLED, and shows the same each time to its owner alone', async () => {
    const sale = await voucherSale(named('code', 3));
    const orders = [await paid(sale), await paid(sale)];
    const codes = await Promise.all(orders.map(fulfilled));
    expect(new Set(codes.flat()).size).toBe(2);
    expect((await seen(orders[0]!)).codes).toEqual(codes[0]);
    expect(await at.service.client.ask('get-order', { rid: orders[0]!.rid, accountId: 'somebody' })).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    expect(await at.service.client.ask('get-reservation', { rid: orders[0]!.rid, accountId: orders[0]!.accountId })).toMatchObject({ value: { state: 'FULFILLED', terminal: true } });
    expect(at.service.heard.filter(({ name, body }) => name === 'order.fulfilled' && 'saleId' in body && body.saleId === sale.saleId)).not.toHaveLength(0);
  });

  it('without enough codes for good, the order is refunded once, its units burned', async () => {
    const sale = await voucherSale(['only-one']);
    const orders = [await paid(sale), await paid(sale), await paid(sale)];
    const before = at.provider.refunds.length;
    await eventually(async () => {
      const states = await Promise.all(orders.map((order) => at.state(order)));
      expect(states.toSorted()).toEqual(['CLOSED out-of-inventory', 'CLOSED out-of-inventory', 'FULFILLED']);
    }, 20_000);
    expect(at.provider.refunds).toHaveLength(before + 2);
    expect(await at.units(sale)).toEqual({ held: 0, sold: 1, free: 7 });
    const closed = (await Promise.all(orders.map((order) => at.row(order)))).find(({ state }) => state === 'CLOSED')!;
    expect(await at.entries(closed)).toEqual(['HOLD', 'SELL', 'BURN']);
    const synced = at.service.heard.flatMap((heard) => (heard.name === 'sync-stock' ? heard.body.rows : [])).filter(({ rid, version }) => rid === closed.rid && version === closed.version);
    expect(synced).toMatchObject([{ holds: true, settled: true }]);
  });

  it('a paid order waits, not final, while Redis is away', async () => {
    pools.away = true;
    const order = await paid(await voucherSale(['patience']));
    await eventually(async () => expect(await at.database.query('SELECT attempts > 1 AS tried FROM code_claim WHERE rid = $1', [order.rid])).toEqual([{ tried: true }]), 20_000);
    expect(await at.service.client.ask('get-reservation', { rid: order.rid, accountId: order.accountId })).toMatchObject({ value: { state: 'PAID', terminal: false } });
    expect((await seen(order)).codes).toBeUndefined();
    pools.away = false;
    expect(await fulfilled(order)).toEqual(['patience']);
  });

  it('a Redis that has forgotten gives no code twice: what is owned stays so, and the pool is filled anew', async () => {
    const sale = await voucherSale(named('c', 4));
    const early = [await paid(sale), await paid(sale)];
    const had = (await Promise.all(early.map(fulfilled))).flat();
    // Rolled back: it believes that all four are free, and that they were loaded.
    const ids = (await at.database.query<{ id: number }>(`SELECT c.code_id::float8 AS id FROM code c JOIN code_pool p USING (pool_id) WHERE p.sale_id = $1 ORDER BY 1`, [sale.saleId])).map(({ id }) => id);
    pools.items.set(first(sale), { free: [...ids], load: '', upTo: ids.at(-1)! });
    const later = [await paid(sale), await paid(sale)];
    const got = (await Promise.all(later.map(fulfilled))).flat();
    expect([...had, ...got].toSorted()).toEqual(named('c', 4));
    expect(await Promise.all(early.map(async (order) => (await seen(order)).codes))).toEqual(had.map((code) => [code]));
  });

  it('codes that come after the pool ran dry are found', async () => {
    const sale = await voucherSale(['x']);
    await fulfilled(await paid(sale));
    await importCodes(sale, ['y']);
    expect(await fulfilled(await paid(sale))).toEqual(['y']);
  });

  it('codes that Redis lost on the way are found again', async () => {
    const sale = await voucherSale(named('z', 2));
    const ids = (await at.database.query<{ id: number }>(`SELECT c.code_id::float8 AS id FROM code c JOIN code_pool p USING (pool_id) WHERE p.sale_id = $1 ORDER BY 1`, [sale.saleId])).map(({ id }) => id);
    pools.items.set(first(sale), { free: [], load: '', upTo: ids.at(-1)! });
    expect(await fulfilled(await paid(sale))).toHaveLength(1);
  });

  it('an order that is not paid any more takes none, and what was dispensed to it goes back', async () => {
    pools.away = true;
    const sale = await voucherSale(['back']);
    const order = await paid(sale);
    await at.database.transaction((tx) => at.orders.startRefunding(tx, sale.saleId, [order.rid], 'sale-withdrawn'));
    pools.away = false;
    await eventually(async () => expect(await at.database.query('SELECT state FROM code_claim WHERE rid = $1', [order.rid])).toEqual([{ state: 'VOID' }]), 20_000);
    await eventually(() => expect(pools.items.get(first(sale))?.free).toHaveLength(1));
    expect(await fulfilled(await paid(sale))).toEqual(['back']);
  });
});

describe('the ownership of a code', () => {
  it('goes to the first, by compare-and-set', async () => {
    const sale = await voucherSale(['prize']);
    const [row] = await at.database.query<{ id: number }>(`SELECT c.code_id::float8 AS id FROM code c JOIN code_pool p USING (pool_id) WHERE p.sale_id = $1`, [sale.saleId]);
    const owners = at.service.get(CodeOwnerStore);
    const give = (owner: string) => at.database.transaction((tx) => owners.give(tx, [{ codeId: row!.id, owner }]));
    expect([await give('first'), await give('second')]).toEqual([[{ codeId: row!.id, owner: 'first' }], []]);
    expect(await owners.ofOwner('first')).toHaveLength(1);
  });
});

describe('what becomes of codes', () => {
  const refund = (order: Placed) => at.database.transaction((tx) => at.orders.startRefunding(tx, order.saleId, [order.rid], 'sale-withdrawn', ['FULFILLED']));

  it.each([['burn', { free: 0, burned: 1 }], ['return', { free: 1, burned: 0 }]] as const)('a refunded order: policy %s', async (onRefund, counts) => {
    const sale = await voucherSale(['back-or-not']);
    expect(await at.service.client.ask('set-code-policy', { actor: merchant, saleId: sale.saleId, itemId: first(sale), onRefund })).toMatchObject({ onRefund });
    const order = await paid(sale);
    await fulfilled(order);
    await refund(order);
    await eventually(async () => expect(await at.state(order)).toBe('CLOSED sale-withdrawn'), 20_000);
    expect(await at.service.client.ask('get-code-pool', { saleId: sale.saleId, itemId: first(sale) })).toMatchObject({ ...counts, issued: 0 });
    expect((await seen(order)).codes).toBeUndefined();
    expect(await at.database.query('SELECT event FROM code_event WHERE owner = $1', [order.rid])).toEqual([{ event: onRefund === 'burn' ? 'burned' : 'returned' }]);
  });

  it('an operator replaces a code: once per key, with a record of who and why', async () => {
    const sale = await voucherSale(named('r', 2));
    const order = await paid(sale);
    const [old] = await fulfilled(order);
    const ask = { actor: operator, rid: order.rid, key: 'k-1', codes: [old!], reason: 'does not scan' };
    const reissue = (change: Partial<typeof ask> = {}) => at.service.client.ask('reissue-codes', { ...ask, ...change });
    const once = await reissue();
    expect(once).toMatchObject({ ok: true, value: { replayed: false, reissued: { replaced: 1, codes: named('r', 2).filter((code) => code !== old) } } });
    expect(await reissue()).toMatchObject({ ok: true, value: { replayed: true, reissued: once.ok && once.value.reissued } });
    expect(await reissue({ reason: 'another' })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await reissue({ key: 'k-2' })).toMatchObject({ code: 'INVALID_TRANSITION' });
    expect(await reissue({ key: 'k-3', codes: [once.ok ? once.value.reissued.codes[0]! : ''] })).toMatchObject({ code: 'INSUFFICIENT_STOCK' });
    expect((await seen(order)).codes).toEqual(once.ok && once.value.reissued.codes);
    expect(await at.database.query('SELECT event, actor, reason, cardinality(code_ids) AS codes FROM code_event WHERE owner = $1', [order.rid])).toEqual([{ event: 'reissued', actor: 'o-1', reason: 'does not scan', codes: 2 }]);
  });

  it('redeeming is all or nothing, and those who redeem an order at once come one after the other', async () => {
    const sale = await voucherSale(named('d', 4));
    const placed = at.reserved(sale);
    placed.reservation.items = [{ itemId: first(sale), quantity: 3 }];
    await at.database.transaction((tx) => at.saga.place(tx, sale.saleId, 0, [placed.reservation]));
    await at.database.transaction((tx) => at.saga.markPaid(tx, sale.saleId, placed.rid));
    const codes = await fulfilled(placed);
    expect(codes).toHaveLength(3);
    const redeem = (some: string[], actor = merchant) => at.service.client.ask('redeem-codes', { actor, rid: placed.rid, codes: some });
    expect(await redeem(codes, { ...merchant, accountId: 'm-2' })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await redeem([codes[0]!, 'd-none'])).toMatchObject({ code: 'NOT_FOUND' });
    const together = await Promise.all([redeem([codes[0]!, codes[1]!]), redeem([codes[1]!, codes[2]!]), redeem([codes[1]!, codes[0]!])]);
    expect(together.filter(({ ok }) => ok)).toHaveLength(1);
    expect(together.filter((answer) => !answer.ok && answer.code === 'INVALID_TRANSITION')).toHaveLength(2);
    expect(await at.service.client.ask('get-code-pool', { saleId: sale.saleId, itemId: first(sale) })).toMatchObject({ redeemed: 2, issued: 1 });
  });
});
