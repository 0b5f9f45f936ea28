import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stockAccount, type Ask, type SaleDocument } from '@floodgate/contracts';
import { Broker, sqlState } from '@floodgate/platform';
import { eventually, MessagingHarness } from '@floodgate/platform/testing';
import { OrderHarness } from '../support/order.harness.js';
import { pretendLanes, PretendSeckill } from '../support/pretend.seckill.js';
import { changeId } from './stock-change.store.js';

let at: OrderHarness;
let seckill: MessagingHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
  seckill = await (await MessagingHarness.start({ controllers: [PretendSeckill], namespace: at.service.get(Broker).names.namespace, service: 'seckill' })).ready();
}, 60_000);
afterAll(async () => {
  await seckill.close();
  await at.stop();
});

/** A sale of ten units that is armed: Redis has it. */
async function armed(changes: Partial<SaleDocument> = {}): Promise<SaleDocument> {
  const sale = await at.sale({ state: 'ARMED', ...changes });
  pretendLanes.set(sale.saleId, { allotments: new Map([[sale.items[0]!.itemId, 10]]), rows: new Map(), relayLength: 0 });
  return sale;
}

const lane = (sale: SaleDocument) => pretendLanes.get(sale.saleId)!;
const change = (sale: SaleDocument, delta: number, changes: Partial<Ask<'change-stock'>> = {}) => at.service.client.ask('change-stock', {
  actor: { accountId: 'operator', roles: ['operator'] }, saleId: sale.saleId, itemId: sale.items[0]!.itemId, key: randomUUID(), delta, reason: 'because', nowMs: Date.now(), ...changes,
}, { timeoutMs: 20_000 });
const entries = async (sale: SaleDocument) => (await at.database.query<{ text: string }>(
  `SELECT entry || ' ' || quantity || ' ' || free_after AS text FROM ledger WHERE sale_id = $1 ORDER BY seq`, [sale.saleId])).map(({ text }) => text);
const quota = async (sale: SaleDocument) => (await at.database.query<{ quota: number; allotment: number; version: number; assumed: number }>(
  `SELECT i.quota, l.allotment, l.allotment_version AS version, v.units AS assumed FROM sale_item i JOIN lane_item l USING (sale_id, item_id) JOIN inventory v USING (sku_id)
   WHERE i.sale_id = $1`, [sale.saleId]))[0];
const told = (sale: SaleDocument) => at.service.heard.flatMap((heard) => (heard.name === 'stock.changed' && heard.body.saleId === sale.saleId ? [heard.body] : []));
/** Redis and Postgres agree on every unit. */
const settles = (sale: SaleDocument, available: number) => eventually(async () => {
  const audit = await at.service.client.ask('audit-sale', { saleId: sale.saleId }, { timeoutMs: 20_000 });
  expect(audit).toMatchObject({ ok: true, value: { verdict: 'clean', findings: [], items: [{ available, redisAvailable: available }] } });
});

describe('units added', () => {
  it('are booked, told and put into Redis by version', async () => {
    const sale = await armed();
    expect(await change(sale, 5)).toMatchObject({ ok: true, value: { replayed: false, change: { id: sale.items[0]!.itemId, itemId: sale.items[0]!.itemId, delta: 5, quota: 15, available: 15, stockVersion: 1 } } });
    expect(await entries(sale)).toEqual(['STOCK_IN 10 10', 'STOCK_IN 5 15']);
    expect(await quota(sale)).toEqual({ quota: 15, allotment: 15, version: 2, assumed: 15 });
    await settles(sale, 15);
    await eventually(() => expect(told(sale)).toMatchObject([{ quota: 15, quotaBefore: 10, stockVersion: 1, accountId: 'operator', reason: 'because' }]));
  });

  it('are added once per key, which answers as before whatever the sale has become; another body under it is refused', async () => {
    const sale = await armed();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 5 }, () => change(sale, 2, { key })));
    expect(answers.map((answer) => answer.ok && answer.value.change.quota)).toEqual([12, 12, 12, 12, 12]);
    await at.database.query(`UPDATE sale SET state = 'WITHDRAWN' WHERE sale_id = $1`, [sale.saleId]);
    expect(await change(sale, 2, { key })).toMatchObject({ ok: true, value: { replayed: true, change: { quota: 12 } } });
    expect(await change(sale, 3, { key })).toMatchObject({ ok: false, code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await entries(sale)).toEqual(['STOCK_IN 10 10', 'STOCK_IN 2 12']);
  });

  it('do not change inventory that somebody has counted', async () => {
    const sale = await armed();
    await at.service.client.ask('set-inventory', { actor: { accountId: 'operator', roles: ['operator'] }, skuId: sale.items[0]!.skuId, units: 4 });
    await change(sale, 5);
    expect(await quota(sale)).toMatchObject({ quota: 15, assumed: 4 });
  });
});

describe('units taken back', () => {
  it('are held in Redis first, then booked, then let go of', async () => {
    const sale = await armed();
    expect(await change(sale, -4)).toMatchObject({ ok: true, value: { change: { delta: -4, quota: 6, available: 6 } } });
    expect(await entries(sale)).toEqual(['STOCK_IN 10 10', 'STOCK_OUT 4 6']);
    expect(await quota(sale)).toEqual({ quota: 6, allotment: 6, version: 2, assumed: 6 });
    await settles(sale, 6);
    expect([...lane(sale).rows.values()]).toMatchObject([{ accountId: stockAccount, holds: false, version: 1 }]);
  });

  it('are free ones: more change nothing, and the key stays free', async () => {
    const sale = await armed();
    await at.order(sale);
    await eventually(() => expect(lane(sale).rows.size).toBe(1));
    const key = randomUUID();
    expect(await change(sale, -10, { key })).toMatchObject({ ok: false, code: 'INSUFFICIENT_STOCK', extra: { available: 9 } });
    expect(await quota(sale)).toMatchObject({ quota: 10, version: 1 });
    expect(await change(sale, -9, { key })).toMatchObject({ ok: true, value: { change: { quota: 1, available: 0 } } });
    await settles(sale, 0);
  });

  it('that Redis does not give are not taken, although Postgres has them: a buyer may have been promised them', async () => {
    const sale = await armed();
    const promised = at.reserved(sale);
    lane(sale).rows.set(promised.rid, { ...promised.reservation, version: 0, holds: true, settled: false });
    expect(await change(sale, -10)).toMatchObject({ ok: false, code: 'INSUFFICIENT_STOCK', extra: { available: 9 } });
    await at.database.transaction((tx) => at.saga.place(tx, sale.saleId, 0, [promised.reservation]));
    expect(await at.state(promised)).toBe('PENDING');
  });

  it.each(['lost-before', 'lost-after'] as const)('whose answer is %s: nobody knows, and the same key finds out and finishes it once', async (holding) => {
    const sale = await armed();
    lane(sale).holding = holding;
    const key = randomUUID();
    expect(await change(sale, -4, { key })).toMatchObject({ ok: false, code: 'UNAVAILABLE', extra: { outcome: 'unknown' } });
    expect(await change(sale, -5, { key })).toMatchObject({ ok: false, code: 'IDEMPOTENCY_KEY_REUSED' });
    delete lane(sale).holding;
    // The sale may be over by now: what was asked before is finished all the same.
    await at.database.query(`UPDATE sale SET closes_at_ms = 1 WHERE sale_id = $1`, [sale.saleId]);
    const answers = await Promise.all(Array.from({ length: 3 }, () => change(sale, -4, { key })));
    expect(answers.map((answer) => answer.ok && answer.value.change.quota)).toEqual([6, 6, 6]);
    expect(await entries(sale)).toEqual(['STOCK_IN 10 10', 'STOCK_OUT 4 6']);
    await settles(sale, 6);
  });

  it('are booked by the relay where whoever asked has died, and the key gets that answer', async () => {
    const sale = await armed();
    lane(sale).holding = 'lost-after';
    const key = randomUUID();
    await change(sale, -4, { key });
    const [held] = [...lane(sale).rows.values()];
    const message = { saleId: sale.saleId, lane: 0, epoch: 1, takeBacks: [{ rid: held!.rid, itemId: sale.items[0]!.itemId, quantity: 4, number: held!.number, reservedAtMs: held!.reservedAtMs }] };
    await at.service.publisher.publish('book-take-back', message);
    await at.service.publisher.publish('book-take-back', message);
    await settles(sale, 6);
    expect(await change(sale, -4, { key })).toMatchObject({ ok: true, value: { replayed: true, change: { quota: 6 } } });
    expect(await entries(sale)).toEqual(['STOCK_IN 10 10', 'STOCK_OUT 4 6']);
  });

  it('that Postgres does not have free are let go of, for good: no order loses what it holds', async () => {
    const sale = await armed();
    await Promise.all(Array.from({ length: 8 }, () => at.order(sale)));
    await eventually(() => expect(lane(sale).rows.size).toBe(8));
    lane(sale).rows.clear(); // Redis has forgotten them, and gives their units away
    const key = randomUUID();
    expect(await change(sale, -4, { key })).toMatchObject({ ok: false, code: 'INSUFFICIENT_STOCK' });
    expect(await change(sale, -4, { key })).toMatchObject({ ok: false, code: 'INSUFFICIENT_STOCK' });
    await eventually(() => expect([...lane(sale).rows.values()]).toMatchObject([{ accountId: stockAccount, holds: false }]));
    expect(await quota(sale)).toMatchObject({ quota: 10, allotment: 10 });
  });

  it('of which nobody knows who asked are given back, not booked', async () => {
    const sale = await armed();
    const rid = changeId(sale.saleId, sale.items[0]!.itemId, sale.ridSecret, 'nobody', 'k');
    lane(sale).rows.set(rid, { rid, accountId: stockAccount, ipHash: '', items: [{ itemId: sale.items[0]!.itemId, quantity: 4 }], number: 1, reservedAtMs: 1, version: 0, holds: true, settled: false });
    await at.service.publisher.publish('book-take-back', { saleId: sale.saleId, lane: 0, epoch: 1, takeBacks: [{ rid, itemId: sale.items[0]!.itemId, quantity: 4, number: 1, reservedAtMs: 1 }] });
    await settles(sale, 10);
    expect(await entries(sale)).toEqual(['STOCK_IN 10 10']);
  });

  it('are among the rows that a rebuild reads, as holding nothing', async () => {
    const sale = await armed();
    const placed = await at.order(sale);
    await change(sale, -4);
    const rows: { rid: string; holds: boolean }[] = [];
    for (let after: string | null = null, first = true; first || after !== null; first = false) {
      const page: { rows: { rid: string; holds: boolean }[]; next: string | null } = await at.service.client.ask('read-rows', { saleId: sale.saleId, lane: 0, after, limit: 1 });
      rows.push(...page.rows);
      after = page.next;
    }
    expect(new Set(rows.map(({ rid, holds }) => `${rid === placed.rid ? 'order' : 'take-back'} ${holds}`))).toEqual(new Set(['order true', 'take-back false']));
    expect(rows).toHaveLength(2);
    const { lanes } = await at.service.client.ask('list-lanes', {});
    expect(lanes.find(({ saleId }) => saleId === sale.saleId)!.items).toMatchObject([{ allotment: 6, allotmentVersion: 2 }]);
  });
});

describe('a change of stock', () => {
  it.each([['ENDED', {}], ['WITHDRAWN', {}], ['ARMED', { opensAtMs: 1, closesAtMs: 2 }]] as const)('of a sale that is %s is refused with its state', async (state, window) => {
    const sale = await armed({ state, ...window });
    for (const delta of [1, -1]) expect(await change(sale, delta)).toMatchObject({ ok: false, code: 'INVALID_TRANSITION', extra: { state: state === 'ARMED' ? 'ENDED' : state } });
    expect(await entries(sale)).toEqual(['STOCK_IN 10 10']);
  });

  it.each([['PAUSED', {}], ['ARMED', { opensAtMs: Date.now() + 600_000, closesAtMs: Date.now() + 900_000 }]] as const)('of a sale that is %s and not open is made', async (state, window) => {
    const sale = await armed({ state, ...window });
    expect(await change(sale, 3)).toMatchObject({ ok: true });
    expect(await change(sale, -2)).toMatchObject({ ok: true, value: { change: { quota: 11 } } });
    await settles(sale, 11);
  });

  it('of what is not known is not found', async () => {
    const sale = await armed();
    expect(await change(sale, 1, { itemId: 'nothing' })).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    expect(await change(sale, 1, { saleId: 'nothing' })).toMatchObject({ ok: false, code: 'NOT_FOUND' });
  });

  it('is by account: the same key of another operator is another change', async () => {
    const sale = await armed();
    const key = randomUUID();
    await change(sale, 1, { key });
    expect(await change(sale, 1, { key, actor: { accountId: 'other', roles: ['operator'] } })).toMatchObject({ ok: true, value: { replayed: false, change: { quota: 12 } } });
  });

  it('that is decided stays as it is', async () => {
    const sale = await armed();
    await change(sale, 1);
    for (const statement of [`UPDATE stock_change SET delta = 2`, `DELETE FROM stock_change`]) {
      expect(await at.database.query(`${statement} WHERE sale_id = '${sale.saleId}'`).then(() => 'accepted', (error: unknown) => sqlState(error))).toBe('FG012');
    }
  });
});
