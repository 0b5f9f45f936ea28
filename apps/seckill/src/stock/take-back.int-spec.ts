import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { stockAccount, type Attempt, type SyncRow } from '@floodgate/contracts';
import { testUrl } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';
import { LaneFixture } from '../support/lane.fixture.js';
import { connectRedis } from '../support/private.redis.js';
import type { DoorAttempt } from './stock.store.js';

let redis: Redis;
let lane: LaneFixture;
beforeAll(async () => { redis = await connectRedis(testUrl('TEST_REDIS_URL')); });
beforeEach(() => { lane = new LaneFixture(redis); });
afterEach(() => lane.drop());
afterAll(async () => { await redis.quit(); });

const operator = (key: string, quantity: number, item = 1): DoorAttempt =>
  ({ ...lane.attempt('operator', key), accountId: stockAccount, gate: 'operator', items: `${lane.item(item)}:${quantity}` });
const words = (...attempts: DoorAttempt[]) => lane.words(...(attempts as Attempt[]));
/** Postgres has booked it: nothing is held any more. */
const booked = (attempt: DoorAttempt, quantity: number, item = 1): SyncRow => ({
  rid: attempt.rid, accountId: stockAccount, ipHash: '', items: [{ itemId: lane.item(item), quantity }], number: 1, reservedAtMs: 1, version: 1, holds: false, settled: true,
});
const allotment = (units: number, version: number, item = 1) => ({ itemId: lane.item(item), allotment: units, version });
const items = (allotted: number, version = 1) => ({ items: [1, 2].map((item) => ({ itemId: lane.item(item), allotment: allotted, allotmentVersion: version, perAccount: item === 1 ? 1 : null })) });

describe('units taken out of sale', () => {
  it('are free ones, all or none, and no buyer gets them', async () => {
    await lane.load(items(5));
    expect(await words(lane.attempt('ada', 'k'), operator('a', 5), operator('b', 4), lane.attempt('bob', 'k'))).toEqual(['reserved', 'sold-out', 'reserved', 'sold-out']);
    expect(await lane.counts()).toMatchObject({ 1: [0, 5] });
  });

  it('may be thousands, beyond the limits of buyers', async () => {
    await lane.load({ ...items(9_000), perAccount: 1, perIp: 1 });
    expect(await words(operator('a', 5_000), operator('b', 3_000), { ...lane.attempt('eve', 'k'), items: `${lane.item(1)}:5000` })).toEqual(['reserved', 'reserved', 'malformed']);
    expect(await lane.counts()).toMatchObject({ 1: [1_000, 8_000] });
  });

  it.each([
    ['paused', { state: 'PAUSED' as const }, 'reserved', 'paused'],
    ['before the opening', { opensAtMs: Date.now() + 3_600_000 }, 'reserved', 'not-open'],
    ['after the close', { closesAtMs: Date.now() - 1 }, 'ended', 'ended'],
    ['ended', { state: 'ENDED' as const }, 'ended', 'ended'],
    ['withdrawn', { state: 'WITHDRAWN' as const }, 'ended', 'ended'],
  ])('while the sale is %s', async (_, change, operators, buyers) => {
    await lane.load({ ...items(5), ...change });
    expect(await words(operator('a', 2), lane.attempt('ada', 'k'))).toEqual([operators, buyers]);
  });

  it('are taken once per act, which stands for one number', async () => {
    await lane.load(items(5));
    expect(await words(operator('a', 2), operator('a', 2))).toEqual(['reserved', 'replayed']);
    expect(await words(operator('a', 2), operator('a', 3))).toEqual(['replayed', 'key-reused']);
    expect(await lane.counts()).toMatchObject({ 1: [3, 2] });
  });

  it.each(['0', '-1', '1e3', '01', '2147483648', 'nan', '1.5', ''])('are counted in digits, not in "%s"', async (quantity) => {
    await lane.load(items(5));
    expect(await words({ ...operator('a', 1), items: `${lane.item(1)}:${quantity}` })).toEqual(['malformed']);
    expect(await lane.counts()).toMatchObject({ 1: [5, 0] });
  });

  it('are let go together with the allotment that shrank by them: they are free at no moment', async () => {
    await lane.load(items(5));
    const taken = operator('a', 2);
    await words(taken);
    expect(await lane.stock.sync(lane.keys, [booked(taken, 2)], [allotment(3, 2)])).toMatchObject({ word: 'synced', applied: 1, restocked: 1 });
    expect(await lane.counts()).toMatchObject({ 1: [3, 0] });
    expect(await lane.stock.sync(lane.keys, [booked(taken, 2)], [allotment(3, 2)])).toMatchObject({ applied: 0, restocked: 0 });
    expect(await lane.counts()).toMatchObject({ 1: [3, 0] });
  });
});

describe('an allotment', () => {
  it('moves what is available by the difference, and only a newer one counts', async () => {
    await lane.load({ ...items(5), perAccount: 9 });
    await words(lane.attempt('ada', 'k', [[1, 1]]));
    for (const change of [allotment(7, 2), allotment(7, 2), allotment(9, 4), allotment(8, 3)]) await lane.stock.sync(lane.keys, [], [change]);
    expect(await lane.counts()).toMatchObject({ 1: [8, 1], 2: [5, 0] });
  });

  it('of an act that comes late was counted by a later one already', async () => {
    await lane.load(items(5));
    const taken = operator('a', 2);
    await words(taken);
    await lane.stock.sync(lane.keys, [], [allotment(13, 3)]);
    expect(await lane.counts()).toMatchObject({ 1: [11, 2] });
    await lane.stock.sync(lane.keys, [booked(taken, 2)], [allotment(3, 2)]);
    expect(await lane.counts()).toMatchObject({ 1: [13, 0] });
  });

  it('survives a load that was sent before it', async () => {
    await lane.load(items(5));
    await lane.stock.sync(lane.keys, [], [allotment(8, 2)]);
    await lane.load(items(5));
    expect(await lane.counts()).toMatchObject({ 1: [8, 0], 2: [5, 0] });
    await lane.load(items(9, 3));
    expect(await lane.counts()).toMatchObject({ 1: [9, 0] });
  });

  it('that Redis has not counted from changes nothing: the lane must be loaded', async () => {
    await lane.load(items(5));
    const taken = operator('a', 2);
    await words(taken);
    await redis.del(lane.keys.allotment);
    const before = await lane.everything();
    expect(await lane.stock.sync(lane.keys, [booked(taken, 2)], [allotment(3, 2)])).toMatchObject({ word: 'allotment-unknown', applied: 0 });
    expect(await lane.everything()).toEqual(before);
  });

  it('goes in with a load: what is taken back meanwhile is counted once', async () => {
    await lane.load(items(5));
    const taken = operator('a', 2);
    await words(taken);
    await lane.load(items(3, 2), [booked(taken, 2)]);
    expect(await lane.counts()).toMatchObject({ 1: [3, 0] });
  });

  it('of a lane that Redis does not have is for the load to read', async () => {
    expect(await lane.stock.sync(lane.keys, [], [allotment(3, 2)])).toMatchObject({ word: 'no-lane' });
  });
});
