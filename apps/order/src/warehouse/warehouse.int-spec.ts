import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SaleDocument } from '@floodgate/contracts';
import { eventually } from '@floodgate/platform/testing';
import { OrderHarness } from '../support/order.harness.js';
import { PretendWarehouse } from '../support/pretend.warehouse.js';
import { WarehouseClient } from './warehouse.client.js';
import { Warehouse } from './warehouse.js';

const secret = 'a secret of both sides';
const shelf = new PretendWarehouse(secret);
let url: string;
let at: OrderHarness;
beforeAll(async () => {
  url = await shelf.start();
  at = await OrderHarness.start(undefined, undefined, undefined, { INVENTORY_URL: url, INVENTORY_SECRET: secret, INVENTORY_TIMEOUT_MS: 400 });
}, 60_000);
beforeEach(() => { shelf.mood = 'well'; });
afterAll(async () => {
  await at.stop();
  await shelf.stop();
});

/** A sale of `quota` units of a SKU of its own, of which the warehouse has `has`. */
async function sale(quota: number, has = quota, changes: Partial<SaleDocument> = {}): Promise<SaleDocument> {
  const skuId = `sku-${randomUUID()}`;
  shelf.stock.set(skuId, has);
  const items = (saleId: string): SaleDocument['items'] => [{ itemId: `${saleId}-1`, skuId, title: 'Item', imageUrl: null, kind: 'goods', price: 250, listPrice: null, quota, perAccount: null }];
  const saleId = randomUUID().slice(0, 8);
  return at.sale({ saleId, items: items(saleId), ...changes });
}

const sku = (of: SaleDocument) => of.items[0]!.skuId;
const ours = async (of: SaleDocument) => (await at.database.query<{ units: number; taken: number }>('SELECT units, taken FROM inventory WHERE sku_id = $1', [sku(of)]))[0];
const hasUnits = (of: SaleDocument, units: number) => eventually(async () => expect(await ours(of)).toMatchObject({ units }));
/** A reservation on its way, as the broker brings it. */
async function reserve(of: SaleDocument): Promise<ReturnType<OrderHarness['reserved']>> {
  const placed = at.reserved(of);
  await at.service.publisher.publish('place-order', { saleId: of.saleId, lane: 0, epoch: 1, reservations: [placed.reservation] });
  return placed;
}
const change = (of: SaleDocument, delta: number) => at.database.transaction((tx) => at.service.get(Warehouse).changed(tx, sku(of), delta));

describe('a sale whose units are in a warehouse outside', () => {
  it('asks for what it promises when it is approved, once, and sells from that', async () => {
    const of = await sale(4, 100);
    await hasUnits(of, 4);
    const placed = await reserve(of);
    await eventually(async () => expect(await at.state(placed)).toBe('PENDING'));
    expect(await ours(of)).toEqual({ units: 4, taken: 1 });
    expect(shelf.operationsOf(sku(of))).toEqual([{ kind: 'take', skuId: sku(of), units: 4 }]);
  });

  it('that the warehouse has too few of sells what there is; the others end out of inventory', async () => {
    const of = await sale(3, 2);
    await hasUnits(of, 2);
    const placed = [await reserve(of), await reserve(of), await reserve(of)];
    await eventually(async () => expect((await Promise.all(placed.map((one) => at.state(one)))).sort()).toEqual(['CLOSED out-of-inventory', 'PENDING', 'PENDING']));
    const closed = at.service.heard.flatMap((heard) => (heard.name === 'order.closed' && heard.body.saleId === of.saleId ? heard.body.orders : []));
    await eventually(() => expect(at.service.heard.some((heard) => heard.name === 'order.closed' && heard.body.saleId === of.saleId)).toBe(true));
    expect(closed.every(({ reason }) => reason === 'out-of-inventory')).toBe(true);
  });

  it.each(['down', 'silent', 'failing', 'nonsense', 'lost'] as const)('waits while the warehouse is %s: nothing is guessed, no attempt is burned, and then it is asked for the same again', async (mood) => {
    shelf.mood = mood;
    const of = await sale(3, 100);
    const placed = [await reserve(of), await reserve(of)];
    await eventually(async () => expect(await at.service.get(Warehouse).ready()).toBe(false));
    // Asked again and again by now, and not one order was decided.
    await eventually(() => expect(shelf.asked.get(sku(of))).toBeGreaterThan(2));
    expect(await Promise.all(placed.map(({ rid }) => at.orders.find(rid)))).toEqual([null, null]);
    shelf.mood = 'well';
    await eventually(async () => expect(await Promise.all(placed.map((one) => at.state(one)))).toEqual(['PENDING', 'PENDING']));
    expect([await ours(of), shelf.out(sku(of))]).toEqual([{ units: 3, taken: 2 }, 3]);
    expect(await at.database.query('SELECT FROM dead_letter')).toEqual([]);
  }, 120_000);

  it('gets more when an operator adds units, and gives back what is taken out of sale', async () => {
    const of = await sale(3, 10);
    await hasUnits(of, 3);
    await at.database.query('UPDATE lane_item SET allotment = 5 WHERE sale_id = $1', [of.saleId]);
    await change(of, 2);
    await hasUnits(of, 5);
    const placed = await reserve(of);
    await eventually(async () => expect(await at.state(placed)).toBe('PENDING'));
    await at.database.query('UPDATE lane_item SET allotment = 2 WHERE sale_id = $1', [of.saleId]);
    shelf.mood = 'lost';
    await change(of, -3);
    expect(await ours(of)).toEqual({ units: 2, taken: 1 });
    await eventually(() => expect(shelf.out(sku(of))).toBe(2));
    shelf.mood = 'well';
    await eventually(async () => expect(await at.database.query(`SELECT FROM warehouse_block WHERE sku_id = $1 AND state = 'WAITING'`, [sku(of)])).toEqual([]));
    expect([shelf.out(sku(of)), shelf.stock.get(sku(of))]).toEqual([2, 8]);
  });

  it('gives back what it did not sell when it is over', async () => {
    const of = await sale(5, 5);
    await hasUnits(of, 5);
    const placed = await reserve(of);
    await eventually(async () => expect(await at.state(placed)).toBe('PENDING'));
    await at.database.query('UPDATE sale SET closes_at_ms = 1 WHERE sale_id = $1', [of.saleId]);
    await eventually(() => expect([shelf.out(sku(of)), shelf.stock.get(sku(of))]).toEqual([1, 4]));
    expect(await ours(of)).toEqual({ units: 1, taken: 1 });
  });
});

it('what is not signed with the secret of both is not carried out', async () => {
  const client = new WarehouseClient({ url, secret: 'another secret', timeoutMs: 5_000 });
  const block = { operationId: randomUUID(), kind: 'take' as const, skuId: 'sku-forged', units: 1, attempts: 0 };
  await expect(client.carryOut(block)).rejects.toThrow('status 401');
  expect(shelf.operations.has(block.operationId)).toBe(false);
});
