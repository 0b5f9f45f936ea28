import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Attempt, AttemptResult } from '@floodgate/contracts';
import { Publisher } from '@floodgate/platform';
import { blockedFrame, eventually, TcpProxy, testUrl, unblockedFrame } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';
import { LaneFixture } from '../support/lane.fixture.js';
import { connectRedis } from '../support/private.redis.js';
import { SeckillHarness } from '../support/seckill.harness.js';
import { LaneRegistry } from '../fence/lane.registry.js';
import { RedisClock } from '../fence/redis.clock.js';
import { Reaper } from '../relay/reaper.js';
import { StockStore } from '../stock/stock.store.js';
import { Reservations } from './reservations.js';

jest.setTimeout(60_000);

let harness: SeckillHarness;
let proxy: TcpProxy;
let redis: Redis;
let lane: LaneFixture;

beforeAll(async () => {
  proxy = new TcpProxy(new URL(testUrl('TEST_AMQP_URL')));
  redis = await connectRedis(testUrl('TEST_REDIS_URL'));
  harness = await SeckillHarness.start({ redis: testUrl('TEST_REDIS_URL'), amqp: await proxy.start() });
}, 60_000);
afterAll(async () => {
  await harness.close();
  await proxy.stop();
  await redis.quit();
}, 60_000);

beforeEach(async () => {
  proxy.accept();
  proxy.release();
  await eventually(() => expect(harness.get(Publisher).state).toBe('up'));
  lane = new LaneFixture(redis, await harness.arm());
  lane.epoch = 1;
  await eventually(() => expect(harness.get(LaneRegistry).get(lane.saleId, 0)?.open).toBe(true));
});

/** As a gateway's vector would be decided, without the way there. */
const decide = (...attempts: Attempt[]): Promise<AttemptResult[]> =>
  harness.get(Reservations).decide({ saleId: lane.saleId, lane: 0, deadlineAtMs: Date.now() + 60_000, attempts });
const words = async (...attempts: Attempt[]): Promise<string[]> => (await decide(...attempts)).map(({ word }) => word);
const placed = (attempt: Attempt): number => harness.book.placedRids.filter((rid) => rid === attempt.rid).length;

describe('a vector', () => {
  it('is answered over the broker, each attempt in its place', async () => {
    const attempts = [lane.attempt('ada', 'k', [[1, 1]], { ipHash: 'a1' }), lane.attempt('bob', 'k', [[9, 1]]), lane.attempt('cat', 'k', [[2, 9]])];
    expect(await harness.client.ask('reserve', { saleId: lane.saleId, lane: 0, deadlineAtMs: Date.now() + 60_000, attempts })).toEqual({
      results: [
        { word: 'reserved', number: 1, reservedAtMs: expect.any(Number) },
        { word: 'item-not-found', itemId: lane.item(9) },
        { word: 'sold-out', itemId: lane.item(2), remaining: 3, mayReturn: false },
      ],
    });
    await eventually(() => expect(harness.book.placed.at(-1)).toMatchObject({
      saleId: lane.saleId, lane: 0, epoch: 1, reservations: [{ rid: attempts[0]!.rid, accountId: 'ada', ipHash: 'a1', items: [{ itemId: lane.item(1), quantity: 1 }], number: 1 }],
    }));
    await eventually(async () => expect(await redis.xlen(lane.keys.relay)).toBe(0));
  });

  it('of a lane that nobody knows is unavailable', async () => {
    lane = new LaneFixture(redis);
    expect(await words(lane.attempt('ada', 'k'))).toEqual(['unavailable']);
  });
});

describe('before the broker has confirmed', () => {
  it('nothing is said to be reserved, or replayed', async () => {
    const attempt = lane.attempt('ada', 'k');
    const answered: string[] = [];
    proxy.hold();
    const all = [decide(attempt, attempt), decide(attempt)].map(async (results) => answered.push(...(await results).map(({ word }) => word)));
    // The broker has both messages; what it said of them is held back.
    await eventually(() => expect(placed(attempt)).toBe(2));
    expect(answered).toEqual([]);
    proxy.release();
    await Promise.all(all);
    expect([...answered].sort((a, b) => (a < b ? -1 : 1))).toEqual(['replayed', 'replayed', 'reserved']);
    expect(await lane.counts()).toMatchObject({ 1: [4, 1] });
  });

  it('a refusal needs no confirm', async () => {
    proxy.hold();
    expect(await words(lane.attempt('ada', 'k', [[1, 6]]))).toEqual(['sold-out']);
  });
});

describe('when the confirm does not come', () => {
  it('the outcome is unknown, nothing is undone, and the same key finds out', async () => {
    const attempt = lane.attempt('ada', 'k');
    proxy.hold();
    expect(await words(attempt, lane.attempt('bob', 'k', [[9, 1]]))).toEqual(['outcome-unknown', 'item-not-found']);
    expect(await lane.counts()).toMatchObject({ 1: [4, 1] });
    proxy.release();
    await eventually(async () => expect(await words(attempt)).toEqual(['replayed']));
    expect(await lane.counts()).toMatchObject({ 1: [4, 1] });
    expect((await decide(attempt))[0]).toMatchObject({ number: 1 });
  });

  it('because the link breaks: the same', async () => {
    const attempt = lane.attempt('ada', 'k');
    proxy.hold();
    const answer = words(attempt);
    await eventually(() => expect(placed(attempt)).toBe(1));
    proxy.refuse();
    expect(await answer).toEqual(['outcome-unknown']);
    proxy.accept();
    proxy.release();
    await eventually(async () => expect(await words(attempt)).toEqual(['replayed']));
    expect(await lane.counts()).toMatchObject({ 1: [4, 1] });
  });
});

it('a load between the reservation and its confirm makes the outcome unknown', async () => {
  const attempt = lane.attempt('ada', 'k');
  proxy.hold();
  const answer = words(attempt);
  await eventually(() => expect(placed(attempt)).toBe(1));
  await lane.load();
  await eventually(() => expect(harness.get(LaneRegistry).get(lane.saleId, 0)?.epoch).toBe(2));
  proxy.release();
  expect(await answer).toEqual(['outcome-unknown']);
  await eventually(async () => expect(await words(attempt)).toEqual(['replayed']));
  expect(await lane.counts()).toMatchObject({ 1: [4, 1] });
});

it('without a broker Redis is not touched', async () => {
  proxy.refuse();
  await eventually(() => expect(harness.get(Publisher).state).toBe('down'));
  const before = await lane.everything();
  expect(await words(lane.attempt('ada', 'k'))).toEqual(['unavailable']);
  expect(await lane.everything()).toEqual(before);
});

it('while the broker blocks publishers Redis is not touched either, and it sells on when that is over', async () => {
  proxy.say(blockedFrame);
  await eventually(() => expect(harness.get(Publisher).state).toBe('blocked'));
  const before = await lane.everything();
  expect(await words(lane.attempt('ada', 'k'))).toEqual(['unavailable']);
  expect(await lane.everything()).toEqual(before);
  proxy.say(unblockedFrame);
  await eventually(async () => expect(await words(lane.attempt('ada', 'k'))).toEqual(['reserved']));
});

describe('what was reserved and never published', () => {
  it('is published by the relay, once it is clear that its maker will not', async () => {
    const attempts = [lane.attempt('ada', 'k', [[1, 2]], { ipHash: 'a1' }), lane.attempt('bob', 'k')];
    // Another process reserves, and dies before it publishes.
    await lane.decide(...attempts);
    await eventually(() => expect(harness.book.placed.find(({ saleId }) => saleId === lane.saleId)).toMatchObject({
      epoch: 1, reservations: [{ rid: attempts[0]!.rid, ipHash: 'a1', number: 1, items: [{ itemId: lane.item(1), quantity: 2 }] }, { rid: attempts[1]!.rid, number: 2 }],
    }));
    await eventually(async () => expect(await redis.xlen(lane.keys.relay)).toBe(0));
  });

  it('a retry publishes it itself before it answers', async () => {
    const attempt = lane.attempt('ada', 'k', [[1, 1]], { ipHash: 'a1' });
    await lane.decide(attempt);
    expect(await words({ ...attempt, ipHash: 'b2' })).toEqual(['replayed']);
    await eventually(() => expect(harness.book.placed.find(({ saleId }) => saleId === lane.saleId)).toMatchObject({ reservations: [{ rid: attempt.rid, ipHash: 'a1' }] }));
  });

  it('and whose relay entry is gone, is published by the reaper after a minute, and stays held', async () => {
    const [old, young] = [lane.attempt('ada', 'k'), lane.attempt('bob', 'k')];
    await lane.decide(old, young);
    await redis.del(lane.keys.relay);
    const record = (await redis.hget(lane.keys.resv, old.rid))!.split('|');
    await redis.hset(lane.keys.resv, old.rid, record.with(4, String(Date.now() - 61_000)).join('|'));
    const reaper = new Reaper(harness.get(StockStore), harness.get(Publisher), harness.get(RedisClock));
    const known = harness.get(LaneRegistry).get(lane.saleId, 0)!;
    await reaper.sweep(known);
    await reaper.sweep(known);
    await eventually(() => expect(placed(old)).toBe(1));
    expect(placed(young)).toBe(0);
    expect(await lane.counts()).toMatchObject({ 1: [3, 2] });
  });
});
