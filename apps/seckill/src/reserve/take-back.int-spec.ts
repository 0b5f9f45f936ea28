import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { stockAccount, type Attempt, type SyncRow } from '@floodgate/contracts';
import { Publisher } from '@floodgate/platform';
import { eventually, testUrl } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';
import { LaneFixture } from '../support/lane.fixture.js';
import { connectRedis } from '../support/private.redis.js';
import { SeckillHarness } from '../support/seckill.harness.js';
import { LaneRegistry } from '../fence/lane.registry.js';
import { RedisClock } from '../fence/redis.clock.js';
import { Reaper } from '../relay/reaper.js';
import { StockStore, type DoorAttempt } from '../stock/stock.store.js';

jest.setTimeout(60_000);

let harness: SeckillHarness;
let redis: Redis;
let lane: LaneFixture;
beforeAll(async () => {
  redis = await connectRedis(testUrl('TEST_REDIS_URL'));
  harness = await SeckillHarness.start({ redis: testUrl('TEST_REDIS_URL') });
}, 60_000);
afterAll(async () => {
  await harness.close();
  await redis.quit();
}, 60_000);
beforeEach(async () => {
  lane = new LaneFixture(redis, await harness.arm({}));
  lane.epoch = 1;
  await eventually(() => expect(harness.get(LaneRegistry).get(lane.saleId, 0)?.open).toBe(true));
});

const rid = (key: string) => lane.attempt('operator', key).rid;
const hold = async (key: string, quantity: number, item = 1) => (await harness.client.ask('hold-take-back',
  { saleId: lane.saleId, lane: 0, rid: rid(key), itemId: lane.item(item), quantity, deadlineAtMs: Date.now() + 60_000 })).result;
const told = () => harness.book.takenBack.filter(({ saleId }) => saleId === lane.saleId);
const available = () => harness.boards.flatMap(({ lanes }) => lanes).filter(({ saleId }) => saleId === lane.saleId).flatMap(({ items }) => items).filter(([id]) => id === lane.item(1)).at(-1)?.[1];

describe('an operator who takes units back', () => {
  it('holds them, with the broker knowing, before there is an answer', async () => {
    expect(await hold('a', 2)).toEqual({ word: 'reserved', number: 1, reservedAtMs: expect.any(Number) });
    await eventually(() => expect(told()).toEqual([{ saleId: lane.saleId, lane: 0, epoch: 1, takeBacks: [{ rid: rid('a'), itemId: lane.item(1), quantity: 2, number: 1, reservedAtMs: expect.any(Number) }] }]));
    expect(harness.book.placed.filter(({ saleId }) => saleId === lane.saleId)).toEqual([]);
    expect(await hold('a', 2)).toMatchObject({ word: 'replayed', number: 1 });
    expect(await hold('a', 3)).toEqual({ word: 'key-reused' });
    expect(await hold('b', 4)).toEqual({ word: 'sold-out', itemId: lane.item(1), remaining: 3, mayReturn: true });
    expect(await lane.counts()).toMatchObject({ 1: [3, 2] });
  });

  it('who dies in between leaves it to the relay, beside the reservations of buyers', async () => {
    const operator: DoorAttempt = { ...lane.attempt('operator', 'a'), accountId: stockAccount, gate: 'operator', items: `${lane.item(1)}:2` };
    const buyer = lane.attempt('ada', 'k');
    await lane.decide(buyer, operator as Attempt);
    await eventually(() => expect(told()).toMatchObject([{ takeBacks: [{ rid: operator.rid, quantity: 2, number: 2 }] }]));
    expect(harness.book.placed.filter(({ saleId }) => saleId === lane.saleId)).toMatchObject([{ reservations: [{ rid: buyer.rid }] }]);
    await eventually(async () => expect(await redis.xlen(lane.keys.relay)).toBe(0));
  });

  it('and of whom Postgres never spoke, is told of again by the reaper', async () => {
    const operator: DoorAttempt = { ...lane.attempt('operator', 'a'), accountId: stockAccount, gate: 'operator', items: `${lane.item(1)}:2` };
    await lane.decide(operator as Attempt);
    await redis.del(lane.keys.relay);
    const record = (await redis.hget(lane.keys.resv, operator.rid))!.split('|');
    await redis.hset(lane.keys.resv, operator.rid, record.with(4, String(Date.now() - 61_000)).join('|'));
    await new Reaper(harness.get(StockStore), harness.get(Publisher), harness.get(RedisClock)).sweep(harness.get(LaneRegistry).get(lane.saleId, 0)!);
    await eventually(() => expect(told()).toMatchObject([{ takeBacks: [{ rid: operator.rid }] }]));
  });
});

describe('a changed allotment', () => {
  it('is on the board at once, repeated or overtaken or not', async () => {
    for (const [version, allotment] of [[2, 7], [4, 9], [3, 8], [4, 9]] as const) {
      await harness.publisher.publish('sync-stock', { saleId: lane.saleId, lane: 0, rows: [], allotments: [{ itemId: lane.item(1), version, allotment }] });
    }
    await eventually(() => expect(available()).toBe(9));
    expect(await lane.counts()).toMatchObject({ 1: [9, 0] });
  });

  it('that shrank comes with the row that held its units', async () => {
    await hold('a', 2);
    const row: SyncRow = { rid: rid('a'), accountId: stockAccount, ipHash: '', items: [{ itemId: lane.item(1), quantity: 2 }], number: 1, reservedAtMs: 1, version: 1, holds: false, settled: true };
    await harness.publisher.publish('sync-stock', { saleId: lane.saleId, lane: 0, rows: [row], allotments: [{ itemId: lane.item(1), version: 2, allotment: 3 }] });
    await eventually(async () => expect(await lane.counts()).toMatchObject({ 1: [3, 0] }));
  });

  it('is in Redis after a load whose message knew an older one', async () => {
    const ordered = harness.book.lanes.at(-1)!;
    ordered.items[0]!.allotment = 12;
    ordered.items[0]!.allotmentVersion = 5;
    const { loadedEpoch: _loadedEpoch, ...load } = ordered;
    ordered.epoch = 2;
    await redis.del(...Object.values(lane.keys));
    await harness.publisher.publish('load-lanes', { reason: 'rebuild', lanes: [{ ...load, epoch: 2, items: load.items.map((item) => ({ ...item, allotment: 5, allotmentVersion: 1 })) }] });
    await eventually(() => expect(harness.book.loaded.some(({ saleId, epoch }) => saleId === lane.saleId && epoch === 2)).toBe(true));
    expect(await lane.counts()).toMatchObject({ 1: [12, 0] });
  });

  it('that Redis has not counted from has the lane loaded again, and then it is right', async () => {
    await redis.del(lane.keys.allotment);
    const ordered = harness.book.lanes.at(-1)!;
    Object.assign(ordered.items[0]!, { allotment: 6, allotmentVersion: 2 });
    await harness.publisher.publish('sync-stock', { saleId: lane.saleId, lane: 0, rows: [], allotments: [{ itemId: lane.item(1), version: 2, allotment: 6 }] });
    await eventually(() => expect(harness.book.loaded.some(({ saleId, epoch }) => saleId === lane.saleId && epoch === 2)).toBe(true), 30_000);
    await eventually(async () => expect(await lane.counts()).toMatchObject({ 1: [6, 0] }));
  });
});
