import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testUrl } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';
import { newSaleId } from '../support/lane.fixture.js';
import { connectRedis } from '../support/private.redis.js';
import { CodePoolStore } from './code-pool.store.js';

let redis: Redis;
let pools: CodePoolStore;
let saleId: string;

beforeAll(async () => {
  redis = await connectRedis(testUrl('TEST_REDIS_URL'));
  pools = new CodePoolStore(redis);
});
beforeEach(() => { saleId = newSaleId(); });
afterAll(async () => { await redis.quit(); });

const item = (number: number) => `${saleId}-${number}`;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const load = (number: number, from: number, to: number, change: Partial<Parameters<CodePoolStore['load']>[0]> = {}) =>
  pools.load({ saleId, itemId: item(number), mode: 'append', load: '', after: from - 1, upTo: to, codeIds: range(from, to), ...change });
const ask = (rid: string, ...wants: [number, number][]) => ({ rid, items: wants.map(([number, quantity]) => ({ itemId: item(number), quantity })) });
const left = (number: number) => redis.lrange(`{${saleId}:codes}:free:${item(number)}`, 0, -1);

describe('dispensing codes', () => {
  it('gives each order all that it wants, in the order of the pool, none twice', async () => {
    await load(1, 1, 5);
    expect(await pools.issue(saleId, [ask('a', [1, 2]), ask('b', [1, 1])])).toEqual([
      { rid: 'a', word: 'issued', items: [{ itemId: item(1), codeIds: [1, 2] }] }, { rid: 'b', word: 'issued', items: [{ itemId: item(1), codeIds: [3] }] },
    ]);
    expect(await left(1)).toEqual(['4', '5']);
  });

  it('asked again it gives the same, and takes nothing more', async () => {
    await load(1, 1, 5);
    const first = await pools.issue(saleId, [ask('a', [1, 2])]);
    expect(await pools.issue(saleId, [ask('a', [1, 2]), ask('a', [1, 2])])).toEqual([...first, ...first]);
    expect(await left(1)).toEqual(['3', '4', '5']);
  });

  it('gives all items of an order or none of them', async () => {
    await load(1, 1, 5);
    await load(2, 10, 10, { after: 0 });
    const [short] = await pools.issue(saleId, [ask('a', [1, 2], [2, 2])]);
    expect(short).toEqual({ rid: 'a', word: 'short', itemId: item(2), pool: { load: '', upTo: 10 } });
    expect([await left(1), await left(2)]).toEqual([['1', '2', '3', '4', '5'], ['10']]);
  });

  it('is short of what was never loaded, or was forgotten', async () => {
    expect(await pools.issue(saleId, [ask('a', [1, 1])])).toEqual([{ rid: 'a', word: 'short', itemId: item(1), pool: { load: '', upTo: 0 } }]);
  });
});

describe('loading a pool', () => {
  it('adds a page once, whoever brings it and however late', async () => {
    expect([await load(1, 1, 3), await load(1, 1, 3), await load(1, 4, 5), await load(1, 4, 5)]).toEqual(['loaded', 'stale', 'loaded', 'stale']);
    expect(await left(1)).toEqual(['1', '2', '3', '4', '5']);
  });

  it('anew forgets what the pool had; pages of the load before are stale then', async () => {
    await load(1, 1, 3);
    expect(await load(1, 2, 3, { mode: 'anew', load: 'second', after: 0 })).toBe('loaded');
    expect(await load(1, 4, 5)).toBe('stale');
    expect(await load(1, 4, 5, { load: 'second' })).toBe('loaded');
    expect(await left(1)).toEqual(['2', '3', '4', '5']);
  });

  it('takes a page of 5,000 ids', async () => {
    await load(1, 1, 5_000);
    expect(await redis.llen(`{${saleId}:codes}:free:${item(1)}`)).toBe(5_000);
  });
});

describe('settling', () => {
  it('returns what nobody took to where it came from', async () => {
    await load(1, 1, 5);
    await pools.issue(saleId, [ask('a', [1, 2]), ask('b', [1, 1])]);
    await pools.settle({ saleId, orders: [{ rid: 'a', what: 'return', itemIds: [item(1)] }, { rid: 'b', what: 'forget', itemIds: [item(1)] }, { rid: 'c', what: 'return', itemIds: [] }] });
    expect(await left(1)).toEqual(['1', '2', '4', '5']);
    expect(await redis.exists(`{${saleId}:codes}:given`)).toBe(0);
  });

  it('twice returns it once', async () => {
    await load(1, 1, 2);
    await pools.issue(saleId, [ask('a', [1, 1])]);
    const settlement = { saleId, orders: [{ rid: 'a', what: 'return' as const, itemIds: [item(1)] }] };
    await pools.settle(settlement);
    await pools.settle(settlement);
    expect(await left(1)).toEqual(['1', '2']);
  });
});
