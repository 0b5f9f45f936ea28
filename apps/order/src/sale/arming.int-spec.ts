import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, MessageBody, SaleDocument, StoredSaleState, SyncRow } from '@floodgate/contracts';
import { Broker, QueueInspector } from '@floodgate/platform';
import { eventually, type Heard } from '@floodgate/platform/testing';
import { OrderHarness } from '../support/order.harness.js';
import { allotmentOf } from './copy-sale.consumer.js';

let at: OrderHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
}, 30_000);
afterAll(() => at.stop());

const heard = <N extends Heard['name']>(name: N) => at.service.heard.filter((message) => message.name === name).map((message) => message.body as MessageBody<N>);
const loadsOf = (saleId: string) => heard('load-lanes').filter((body) => body.lanes.some((lane) => lane.saleId === saleId));
const loaded = (saleId: string, lane: number, epoch: number) => at.service.publisher.publish('lane.loaded', { saleId, lane, epoch });
const changed = (saleId: string, version: number, state: StoredSaleState, beforeArming = false) =>
  at.service.publisher.publish('sale.changed', { saleId, version, state, ...(beforeArming ? { beforeArming } : {}) });
const stateOf = async (saleId: string) => (await at.database.query<{ state: string; version: number }>('SELECT state, version FROM sale WHERE sale_id = $1', [saleId]))[0];
const waiting = async (queue: 'order.copy-sale' | 'order.note-loaded' | 'order.rebuild-lanes') => {
  const { ready, unsettled } = (await at.service.get(QueueInspector).queueDepths([queue]))[queue];
  return ready + unsettled;
};

describe('arming', () => {
  it('stocks the lanes of an approved sale, has them loaded, and says armed when the last lane is', async () => {
    const sale = await at.sale({ lanes: 2 }, 5);
    const itemId = sale.items[0]!.itemId;
    const load = await eventually(() => {
      expect(loadsOf(sale.saleId)).toHaveLength(1);
      return loadsOf(sale.saleId)[0]!;
    });
    expect(load).toMatchObject({ reason: 'arm', lanes: [
      { lane: 0, epoch: 1, version: 3, state: 'ARMED', items: [{ itemId, allotment: 3, perAccount: null }] },
      { lane: 1, epoch: 1, version: 3, state: 'ARMED', items: [{ itemId, allotment: 2, perAccount: null }] }] });
    expect(await at.database.query('SELECT units, taken FROM inventory WHERE sku_id = $1', [sale.items[0]!.skuId])).toEqual([{ units: 5, taken: 0 }]);
    await loaded(sale.saleId, 0, 1);
    await eventually(async () => expect(await waiting('order.note-loaded')).toBe(0));
    expect(heard('sale.armed').map((body) => body.saleId)).not.toContain(sale.saleId);
    await loaded(sale.saleId, 1, 1);
    await eventually(() => expect(heard('sale.armed').filter((body) => body.saleId === sale.saleId)).toHaveLength(1));
    const { lanes } = await at.service.client.ask('list-lanes', {});
    expect(lanes.filter((lane) => lane.saleId === sale.saleId)).toMatchObject([{ lane: 0, epoch: 1, loadedEpoch: 1 }, { lane: 1, epoch: 1, loadedEpoch: 1 }]);
  });

  it('copies a sale once, though it is approved again', async () => {
    const sale = await at.sale({}, 5);
    await at.service.publisher.publish('sale.approved', { ...sale, title: 'Another' });
    await eventually(() => expect(loadsOf(sale.saleId)).toHaveLength(2));
    expect(await at.units(sale)).toEqual({ held: 0, sold: 0, free: 5 });
  });

  it('leaves an inventory that is known as it is, and sums the items of one SKU', async () => {
    const known = await at.sale({}, 5);
    const item = known.items[0]!;
    const saleId = `T${known.saleId}`.slice(0, 10);
    const items = [1, 2].map((n) => ({ ...item, itemId: `${saleId}-${n}`, skuId: `both-${saleId}`, quota: 4 }));
    const sale: SaleDocument = { ...known, saleId, items: [...items, { ...item, itemId: `${saleId}-3` }] };
    await at.service.publisher.publish('sale.approved', sale);
    await eventually(async () => expect(await stateOf(saleId)).toBeDefined());
    const units = async (skuId: string) => (await at.service.client.ask('get-inventory', { skuId }));
    expect([await units(`both-${saleId}`), await units(item.skuId)]).toMatchObject([{ ok: true, value: { units: 8 } }, { ok: true, value: { units: 5 } }]);
  });

  it('applies later states only, also before the sale itself has arrived', async () => {
    const sale = await at.sale();
    await changed(sale.saleId, 5, 'PAUSED');
    await changed(sale.saleId, 4, 'ARMED');
    await eventually(async () => expect(await waiting('order.copy-sale')).toBe(0));
    expect(await stateOf(sale.saleId)).toEqual({ state: 'PAUSED', version: 5 });

    const early = { ...sale, saleId: `E${sale.saleId}`.slice(0, 10), items: sale.items.map((item) => ({ ...item, itemId: 'early-1' })) };
    await changed(early.saleId, 9, 'ENDED');
    await at.service.publisher.publish('sale.approved', early);
    await eventually(async () => expect(await stateOf(early.saleId)).toEqual({ state: 'ENDED', version: 9 }));
  });

  it('passes over changes of a sale that is not to be armed yet', async () => {
    await changed('NotYet', 2, 'APPROVED', true);
    await eventually(async () => expect(await waiting('order.copy-sale')).toBe(0));
    expect(await at.service.get(QueueInspector).ready(at.service.get(Broker).names.dead('order.copy-sale'))).toBe(0);
  });

  it('says why a sale cannot be armed', async () => {
    const sale = await at.sale();
    const saleId = `B${sale.saleId}`.slice(0, 10);
    const broken = { ...sale, saleId, items: [sale.items[0]!, sale.items[0]!] };
    await at.service.publisher.publish('sale.approved', broken);
    await eventually(() => expect(heard('sale.arm-failed').filter((body) => body.saleId === saleId).length).toBeGreaterThan(0));
    expect(await stateOf(saleId)).toBeUndefined();
  });

  it.each([[10, 3, [4, 3, 3]], [2, 3, [1, 1, 0]], [0, 2, [0, 0]], [7, 1, [7]]])('shares %i units over %i lanes', (quota, lanes, shares) => {
    expect(Array.from({ length: lanes }, (_, lane) => allotmentOf(quota, lane, lanes))).toEqual(shares);
  });
});

describe('a rebuild', () => {
  it('raises the epoch of what was seen once, and loads all of it together', async () => {
    const [a, b] = [await at.sale(), await at.sale()];
    const seen = [a, b].map(({ saleId }) => ({ saleId, lane: 0, epoch: 1 }));
    for (let repeat = 0; repeat < 3; repeat++) await at.service.publisher.publish('rebuild-lanes', { reason: 'NOSCRIPT', seen });
    await eventually(async () => expect(await waiting('order.rebuild-lanes')).toBe(0));
    const rebuilds = await eventually(() => {
      const loads = loadsOf(a.saleId).filter((body) => body.reason === 'rebuild');
      expect(loads).toHaveLength(1);
      return loads;
    });
    expect(rebuilds[0]!.lanes.map(({ saleId, epoch }) => ({ saleId, epoch })).sort((x, y) => (x.saleId < y.saleId ? -1 : 1)))
      .toEqual([a, b].map(({ saleId }) => ({ saleId, epoch: 2 })).sort((x, y) => (x.saleId < y.saleId ? -1 : 1)));
    await loaded(a.saleId, 0, 1);
    await loaded(a.saleId, 0, 2);
    await eventually(async () => expect(await at.database.query('SELECT loaded_epoch AS epoch FROM lane WHERE sale_id = $1', [a.saleId])).toEqual([{ epoch: 2 }]));
  });

  it('reads a lane page by page, closed orders too', async () => {
    const sale = await at.sale({}, 10);
    const placed = [await at.order(sale), await at.order(sale), await at.order(sale), await at.order(sale), await at.order(sale)];
    await at.database.transaction((tx) => at.saga.closeOrders(tx, sale.saleId, [placed[0]!.rid], 'payment-timeout'));
    await at.database.transaction((tx) => at.saga.markPaid(tx, sale.saleId, placed[1]!.rid));
    const rows: SyncRow[] = [];
    for (let after: string | null = null, pages = 0; pages === 0 || after !== null; pages++) {
      const page: Answer<'read-rows'> = await at.service.client.ask('read-rows', { saleId: sale.saleId, lane: 0, after, limit: 2 });
      rows.push(...page.rows);
      after = page.next;
    }
    const of = (index: number) => rows.find((row) => row.rid === placed[index]!.rid);
    expect(rows).toHaveLength(5);
    expect([of(0), of(1), of(2)]).toMatchObject([{ version: 2, holds: false, settled: true }, { version: 2, holds: true, settled: true }, { version: 1, holds: true, settled: false }]);
  });

  it('counts what the broker has and nobody judged', async () => {
    await eventually(async () => expect(await at.service.client.ask('count-unjudged', {})).toEqual({ placeOrderMessages: 0 }));
  });
});
