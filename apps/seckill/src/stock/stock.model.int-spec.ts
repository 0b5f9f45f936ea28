import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { SyncRow } from '@floodgate/contracts';
import { testUrl } from '@floodgate/platform/testing';
import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { LaneFixture } from '../support/lane.fixture.js';
import { connectRedis } from '../support/private.redis.js';

jest.setTimeout(120_000);

let redis: Redis;
beforeAll(async () => { redis = await connectRedis(testUrl('TEST_REDIS_URL')); });
afterAll(async () => { await redis.quit(); });

const ALLOTMENTS = { 1: 6, 2: 4 } as const;
const ITEM_LIMIT = 3;
const SALE_LIMIT = 4;
const IP_LIMIT = 6;

interface Held { account: string; ip: string; items: [number, number][]; holds: boolean; settled: boolean; version: number }

/** What the scripts promise, said in a few lines. */
class Model {
  readonly known = new Map<string, Held>();

  private units(who: (held: Held) => boolean, item?: number): number {
    return [...this.known.values()].filter((held) => held.holds && who(held))
      .reduce((sum, held) => sum + held.items.reduce((units, [number, quantity]) => units + (item === undefined || item === number ? quantity : 0), 0), 0);
  }

  available(item: 1 | 2): number {
    return ALLOTMENTS[item] - this.units(() => true, item);
  }

  unsettled(item: number): number {
    return this.units((held) => !held.settled, item);
  }

  reserve(key: string, account: string, ip: string, items: [number, number][]): string {
    const known = this.known.get(key);
    if (known) return JSON.stringify(known.items) === JSON.stringify(items) ? 'replayed' : 'key-reused';
    const total = items.reduce((sum, [, quantity]) => sum + quantity, 0);
    if (this.units((held) => held.account === account) + total > SALE_LIMIT) return 'limit-reached';
    if (items.some(([item, quantity]) => this.units((held) => held.account === account, item) + quantity > ITEM_LIMIT)) return 'limit-reached';
    if (ip !== '' && this.units((held) => held.ip === ip) + total > IP_LIMIT) return 'limit-reached';
    if (items.some(([item, quantity]) => this.available(item as 1 | 2) < quantity)) return 'sold-out';
    this.known.set(key, { account, ip, items, holds: true, settled: false, version: 0 });
    return 'reserved';
  }

  sync(key: string, account: string, items: [number, number][], version: number, holds: boolean, settled: boolean): void {
    const known = this.known.get(key);
    if (known && known.version >= version) return;
    this.known.set(key, { account, ip: known?.ip ?? '', items, holds, settled, version });
  }
}

const account = fc.constantFrom('ada', 'bob', 'cat');
const key = fc.constantFrom('k1', 'k2', 'k3');
const items = fc.constantFrom<[number, number][]>([[1, 1]], [[1, 2]], [[2, 1]], [[2, 3]], [[1, 1], [2, 1]], [[1, 3], [2, 1]]);
const ip = fc.constantFrom('', 'i1');
const fate = fc.constantFrom<'open' | 'paid' | 'closed'>('open', 'paid', 'closed');
const attempt = fc.record({ account, key, items, ip });
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('reserve' as const), attempts: fc.array(attempt, { minLength: 1, maxLength: 6 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('sync' as const), rows: fc.array(fc.record({ account, key, items, fate, version: fc.integer({ min: 1, max: 5 }) }), { minLength: 1, maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rebuild' as const) }) },
);

it('any mixture of vectors, syncs and rebuilds agrees with the model, step by step', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
    const lane = new LaneFixture(redis);
    const model = new Model();
    const load = { perAccount: SALE_LIMIT, perIp: IP_LIMIT, items: ([1, 2] as const).map((number) => ({ itemId: lane.item(number), allotment: ALLOTMENTS[number], perAccount: ITEM_LIMIT })) };
    await lane.load(load);
    for (const each of steps) {
      const attempts = each.kind === 'reserve' ? each.attempts : [];
      const expected = attempts.map((one) => model.reserve(`${one.account}/${one.key}`, one.account, one.ip, one.items));
      const vector = attempts.map((one) => lane.attempt(one.account, one.key, one.items, { ipHash: one.ip }));
      expect(vector.length === 0 ? [] : await lane.words(...vector)).toEqual(expected);
      if (each.kind === 'sync') await lane.sync(...each.rows.map((one): SyncRow => syncRow(lane, model, one)));
      if (each.kind === 'rebuild') await lane.load(load);
      expect(await lane.counts()).toEqual({ 1: [model.available(1), model.unsettled(1)], 2: [model.available(2), model.unsettled(2)] });
    }
    await lane.drop();
  }), { numRuns: 150 });
});

function syncRow(lane: LaneFixture, model: Model, one: { account: string; key: string; items: [number, number][]; fate: 'open' | 'paid' | 'closed'; version: number }): SyncRow {
  // Postgres has the body that was reserved; only what Redis never saw can be anything.
  const body = model.known.get(`${one.account}/${one.key}`)?.items ?? one.items;
  const row = lane.row(lane.attempt(one.account, one.key, body), one.version, one.fate);
  model.sync(`${one.account}/${one.key}`, one.account, body, one.version, row.holds, row.settled);
  return row;
}
