import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testUrl } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';
import { LaneFixture } from '../support/lane.fixture.js';
import { connectRedis } from '../support/private.redis.js';

let redis: Redis;
let lane: LaneFixture;

beforeAll(async () => { redis = await connectRedis(testUrl('TEST_REDIS_URL')); });
beforeEach(async () => {
  lane = new LaneFixture(redis);
  await lane.load({ perAccount: 10, perIp: 10 });
});
afterAll(async () => { await redis.quit(); });

const counters = async () => ({ stock: await lane.counts(), buyer: await redis.hgetall(lane.keys.buyer), ip: await redis.hgetall(lane.keys.ip) });

describe('what Postgres says of a reservation', () => {
  it('open: it holds, and may return', async () => {
    const attempt = lane.attempt('ada', 'k', [[1, 2]]);
    await lane.decide(attempt);
    expect(await lane.sync(lane.row(attempt, 1, 'open'))).toEqual({ word: 'synced', applied: 1, adopted: 0, behind: 0, restocked: 0 });
    expect(await lane.counts()).toEqual({ 1: [3, 2], 2: [3, 0] });
  });

  it('paid: it holds for good', async () => {
    const attempt = lane.attempt('ada', 'k', [[1, 2]]);
    await lane.decide(attempt);
    await lane.sync(lane.row(attempt, 1, 'open'), lane.row(attempt, 2, 'paid'));
    expect(await lane.counts()).toEqual({ 1: [3, 0], 2: [3, 0] });
  });

  it('closed: the units are free again, once', async () => {
    const attempt = lane.attempt('ada', 'k', [[1, 2], [2, 1]], { ipHash: 'a1' });
    await lane.decide(attempt);
    const closed = lane.row(attempt, 2, 'closed');
    await lane.sync(closed);
    await lane.sync(closed, closed);
    expect(await counters()).toEqual({ stock: { 1: [5, 0], 2: [3, 0] }, buyer: { ada: '0' }, ip: { a1: '0' } });
  });

  it('refunded after payment: the units are free again', async () => {
    const attempt = lane.attempt('ada', 'k');
    await lane.decide(attempt);
    await lane.sync(lane.row(attempt, 2, 'paid'), lane.row(attempt, 3, 'closed'));
    expect(await lane.counts()).toEqual({ 1: [5, 0], 2: [3, 0] });
  });

  it('keeps the number and time that the buyer was told', async () => {
    const attempt = lane.attempt('ada', 'k');
    const [reserved] = await lane.decide(attempt);
    await lane.sync(lane.row(attempt, 1, 'open', { number: 77, reservedAtMs: 5 }));
    expect(await lane.decide(attempt)).toEqual([`${reserved!.replace('reserved', 'replayed')}|0|`]);
  });
});

describe('versions', () => {
  it('an older word after a newer one changes nothing', async () => {
    const attempt = lane.attempt('ada', 'k');
    await lane.decide(attempt);
    await lane.sync(lane.row(attempt, 3, 'closed'));
    const before = await lane.everything();
    expect(await lane.sync(lane.row(attempt, 2, 'open'), lane.row(attempt, 1, 'open'), lane.row(attempt, 3, 'paid'))).toEqual({ word: 'synced', applied: 0, adopted: 0, behind: 0, restocked: 0 });
    expect(await lane.everything()).toEqual(before);
  });

  it.each([[[1, 2, 3]], [[3, 2, 1]], [[2, 3, 1]], [[1, 1, 3, 3, 2]]])('in the order %j ends the same', async (order) => {
    const attempt = lane.attempt('ada', 'k', [[1, 2]]);
    await lane.decide(attempt);
    const rows = { 1: lane.row(attempt, 1, 'open'), 2: lane.row(attempt, 2, 'paid'), 3: lane.row(attempt, 3, 'closed') };
    for (const version of order) await lane.sync(rows[version as 1 | 2 | 3]);
    expect(await counters()).toEqual({ stock: { 1: [5, 0], 2: [3, 0] }, buyer: { ada: '0' }, ip: {} });
  });
});

describe('a reservation that Redis does not know', () => {
  it('is adopted with its units, limits, number and admission', async () => {
    const attempt = lane.attempt('ada', 'k', [[1, 2]], { ipHash: 'a1' });
    await lane.decide(lane.attempt('bob', 'k'));
    expect(await lane.sync(lane.row(attempt, 1, 'open', { number: 1, reservedAtMs: 123 }))).toEqual({ word: 'synced', applied: 1, adopted: 1, behind: 0, restocked: 0 });
    expect(await counters()).toEqual({ stock: { 1: [2, 3], 2: [3, 0] }, buyer: { ada: '2', bob: '1' }, ip: { a1: '2' } });
    expect((await lane.view()).accounts).toEqual(['bob', 'ada']);
    expect(await lane.decide(attempt)).toEqual(['replayed|1|123|0|a1']);
  });

  it('closed before it was ever open is a tombstone: known, holding nothing', async () => {
    const attempt = lane.attempt('ada', 'k');
    await lane.sync(lane.row(attempt, 1, 'closed'));
    expect(await lane.counts()).toEqual({ 1: [5, 0], 2: [3, 0] });
    expect(await lane.words(attempt)).toEqual(['replayed']);
  });

  it('with a number never given says that Redis has forgotten, again and again', async () => {
    await lane.decide(lane.attempt('bob', 'k'));
    for (const account of ['ada', 'eve']) {
      expect(await lane.sync(lane.row(lane.attempt(account, 'k'), 1, 'open', { number: 9 }))).toMatchObject({ adopted: 1, behind: 1, restocked: 0 });
    }
  });

  it('takes more than is left: what is sold cannot be denied, and nobody else gets any', async () => {
    await lane.decide(lane.attempt('bob', 'k', [[1, 5]]));
    await lane.sync(lane.row(lane.attempt('ada', 'k', [[1, 2]]), 1, 'open'));
    expect(await lane.counts()).toEqual({ 1: [-2, 7], 2: [3, 0] });
    expect(await lane.decide(lane.attempt('eve', 'k'))).toEqual([`sold-out|${lane.item(1)}|0|1`]);
  });

  it('of an item that the sale does not have leaves the others right', async () => {
    await lane.sync(lane.row(lane.attempt('ada', 'k', [[1, 1], [9, 1]]), 1, 'open'));
    expect(await lane.counts()).toEqual({ 1: [4, 1], 2: [3, 0] });
  });
});

it('a lane that Redis does not have drops its rows', async () => {
  const other = new LaneFixture(redis);
  expect(await other.sync(other.row(other.attempt('ada', 'k'), 1, 'open'))).toEqual({ word: 'no-lane', applied: 0, adopted: 0, behind: 0, restocked: 0 });
  expect(await redis.exists(...Object.values(other.keys))).toBe(0);
});

it('a thousand rows in one call', async () => {
  const items = [{ itemId: lane.item(1), allotment: 1_000, perAccount: null }];
  await lane.load({ items });
  const rows = Array.from({ length: 1_000 }, (_, index) => lane.row(lane.attempt(`account${index}`, 'k'), 1, 'open'));
  expect(await lane.sync(...rows)).toMatchObject({ applied: 1_000, adopted: 1_000 });
  expect(await lane.counts()).toEqual({ 1: [0, 1_000] });
});

describe('the state of the sale', () => {
  it('goes by version', async () => {
    expect(await lane.stock.changeState(lane.keys, 3, 'PAUSED')).toBe('changed');
    expect(await lane.stock.changeState(lane.keys, 2, 'ARMED')).toBe('older');
    expect(await lane.words(lane.attempt('ada', 'k'))).toEqual(['paused']);
    expect(await lane.stock.changeState(lane.keys, 4, 'ARMED')).toBe('changed');
    expect(await lane.words(lane.attempt('ada', 'k'))).toEqual(['reserved']);
  });

  it('of a lane that Redis does not have is left to its load', async () => {
    const other = new LaneFixture(redis);
    expect(await other.stock.changeState(other.keys, 3, 'PAUSED')).toBe('no-lane');
  });
});

describe('the relay', () => {
  it('gives what is old enough, leaves out what Postgres has spoken of, forgets what is confirmed', async () => {
    const [spoken, silent] = [lane.attempt('ada', 'k'), lane.attempt('bob', 'k', [[2, 1]], { ipHash: 'b1' })];
    await lane.decide(spoken, silent);
    await lane.sync(lane.row(spoken, 1, 'open'));
    expect((await lane.relay.unconfirmed(lane.keys, lane.epoch, 60_000, 10)).entries).toEqual([]);
    const page = await lane.relay.unconfirmed(lane.keys, lane.epoch, 0, 10);
    expect(page).toMatchObject({ word: 'selling', length: 1, entries: [{ reservations: [{ rid: silent.rid, accountId: 'bob', ipHash: 'b1', items: [{ itemId: lane.item(2), quantity: 1 }], number: 2 }] }] });
    await lane.relay.confirmed(lane.keys, [page.entries[0]!.relayId]);
    expect(await lane.relay.unconfirmed(lane.keys, lane.epoch, 0, 10)).toMatchObject({ length: 0, oldestAgeMs: -1, entries: [] });
    expect(await lane.decide(silent)).toEqual([expect.stringMatching(/^replayed\|2\|\d+\|0\|b1$/)]);
  });

  it('gives nothing at another epoch', async () => {
    await lane.decide(lane.attempt('ada', 'k'));
    expect(await lane.relay.unconfirmed(lane.keys, lane.epoch + 1, 0, 10)).toMatchObject({ word: 'closed', length: 1, entries: [] });
  });
});
