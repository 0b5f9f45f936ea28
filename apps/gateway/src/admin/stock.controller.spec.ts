import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { callOperation, type Given } from '../testing/contract.js';
import { aSale, bearer, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';

const client = new StandInClient();
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway(client);
  gateway.clock.nowMs = () => 1_000;
});
beforeEach(() => { client.asked.length = 0; });
afterAll(() => gateway.close());

const change = { id: 'x-1', itemId: 'x-1', delta: -3, quota: 7, available: 2, stockVersion: 1, skuId: 's', title: 'One', imageUrl: null, kind: 'goods', price: { amount: 1, currency: 'GBP' }, listPrice: null, perAccount: null };
const headers = (key: string | null = 'k') => ({ ...bearer('me', 'operator'), ...(key === null ? {} : { 'idempotency-key': key }) });
const call = (given: Given = {}) => callOperation(gateway.app, 'changeStock', { path: { id: 'x', itemId: 'x-1' }, headers: headers(), body: { delta: -3, reason: 'broken' }, ...given });

describe('a change of stock', () => {
  it('is asked of the order service, and answered with the item', async () => {
    client.on('change-stock', () => ({ ok: true, value: { replayed: false, change } }) as never);
    const got = await call();
    expect([got.status, got.json, got.headers['idempotency-replayed']]).toEqual([200, change, undefined]);
    expect(client.bodies('change-stock')).toEqual([{ actor: { accountId: 'me', roles: ['operator'] }, saleId: 'x', itemId: 'x-1', key: 'k', delta: -3, reason: 'broken', nowMs: 1_000 }]);
  });

  it('that is repeated says so', async () => {
    client.on('change-stock', () => ({ ok: true, value: { replayed: true, change } }) as never);
    expect((await call()).headers['idempotency-replayed']).toBe('true');
  });

  it('is seen here at once, and an older listing does not undo it', async () => {
    const sale = aSale({ saleId: 'x' });
    gateway.catalogue.approved({ ...sale, items: [{ ...sale.items[0]!, itemId: 'x-1', quota: 10 }] });
    client.on('change-stock', () => ({ ok: true, value: { replayed: false, change } }) as never);
    await call();
    expect(gateway.catalogue.get('x')?.items[0]).toMatchObject({ quota: 7, stockVersion: 1 });
    gateway.catalogue.approved({ ...sale, version: sale.version + 1, items: [{ ...sale.items[0]!, itemId: 'x-1', quota: 10 }] });
    gateway.catalogue.stockChanged({ saleId: 'x', itemId: 'x-1', quota: 10, stockVersion: 1 });
    expect(gateway.catalogue.get('x')?.items[0]).toMatchObject({ quota: 7, stockVersion: 1 });
    gateway.catalogue.stockChanged({ saleId: 'x', itemId: 'x-1', quota: 12, stockVersion: 2 });
    expect(gateway.catalogue.get('x')?.items[0]).toMatchObject({ quota: 12, stockVersion: 2 });
  });

  it.each([
    [409, 'INSUFFICIENT_STOCK', { available: 2 }], [409, 'INVALID_TRANSITION', { state: 'ENDED' }], [422, 'IDEMPOTENCY_KEY_REUSED', {}], [503, 'UNAVAILABLE', { outcome: 'not-done' }],
  ] as const)('is refused with %s %s', async (status, code, extra) => {
    client.on('change-stock', () => ({ ok: false, code, detail: 'no', extra }));
    const got = await call();
    expect([got.status, got.json]).toMatchObject([status, { code, ...extra }]);
  });

  it('without an answer may have been made', async () => {
    client.fail('change-stock', 'TIMEOUT');
    expect((await call()).json).toMatchObject({ code: 'UNAVAILABLE', outcome: 'unknown' });
  });

  it('of a sale that only promotion knows is refused with its state; of one that nobody knows it is not found', async () => {
    client.on('change-stock', () => ({ ok: false, code: 'NOT_FOUND', detail: 'no' }));
    client.on('get-sale', () => ({ ok: true, value: { state: 'DRAFT', items: [{ id: 'x-1' }] } }) as never);
    expect((await call()).json).toMatchObject({ code: 'INVALID_TRANSITION', state: 'DRAFT' });
    expect((await call({ path: { id: 'x', itemId: 'x-9' } })).json.code).toBe('NOT_FOUND');
    client.on('get-sale', () => ({ ok: false, code: 'NOT_FOUND', detail: 'no' }));
    expect((await call()).json.code).toBe('NOT_FOUND');
  });

  it.each([
    ['no key', { headers: headers(null) }, '/headers/idempotency-key'], ['nothing', { body: { delta: 0, reason: 'r' } }, '/delta'], ['half a unit', { body: { delta: 0.5, reason: 'r' } }, '/delta'],
    ['more than can be counted', { body: { delta: 2 ** 31, reason: 'r' } }, '/delta'], ['no reason', { body: { delta: 1, reason: '' } }, '/reason'], ['more than asked for', { body: { delta: 1, reason: 'r', x: 1 } }, '/x'],
  ] as [string, Given, string][])('with %s is invalid, and nobody is asked', async (_, given, path) => {
    const got = await call(given);
    expect([got.status, got.json.errors.map((fault: { path: string }) => fault.path)]).toEqual([400, [path]]);
    // The gateway asks for its catalogue by itself, now and then.
    expect(client.asked.filter(({ name }) => name === 'change-stock')).toEqual([]);
  });
});
