import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';
import { LaneFixture, laneLoad } from '../support/lane.fixture.js';
import { PrivateRedis } from '../support/private.redis.js';

jest.setTimeout(60_000);

// Flushed, restarted and filled: never a server that others use.
let server: PrivateRedis;
let redis: Redis;
let lane: LaneFixture;

beforeAll(async () => {
  server = await PrivateRedis.start('--appendonly', 'yes', '--appendfsync', 'always');
  redis = await server.connect();
});
beforeEach(() => { lane = new LaneFixture(redis); });
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const begin = async (epoch: number, change = {}): Promise<{ word: string; load: string }> => lane.loads.begin(lane.keys, laneLoad(lane.saleId, { epoch, ...change }));
const open = (load: string): Promise<string> => lane.loads.open(lane.keys, load, { version: 1, state: 'ARMED' }, 0);

describe('the words of a load', () => {
  it('loading, then selling; the same epoch again is selling, an earlier one is older', async () => {
    const { word, load } = await begin(2);
    expect([word, await lane.loads.recount(lane.keys, load), await open(load)]).toEqual(['loading', 'recounted', 'selling']);
    expect([(await begin(2)).word, (await begin(1)).word]).toEqual(['selling', 'older']);
  });

  it('a second load of the same epoch supersedes one that did not end', async () => {
    const first = await begin(1);
    const second = await begin(1);
    expect(second.word).toBe('loading');
    expect([await lane.loads.recount(lane.keys, first.load), await open(first.load)]).toEqual(['superseded', 'superseded']);
    expect([await lane.loads.recount(lane.keys, second.load), await open(second.load)]).toEqual(['recounted', 'selling']);
  });

  it('a restart during the load, and one after it', async () => {
    const { load } = await begin(1);
    await reconnected(() => server.restart());
    expect(await open(load)).toBe('restarted');
    const again = await begin(1);
    expect(await open(again.load)).toBe('selling');
    await reconnected(() => server.restart());
    expect((await begin(1)).word).toBe('restarted');
  });

  it('takes the newest state, whichever way it came', async () => {
    const { load } = await begin(1, { version: 3, state: 'ARMED' });
    await lane.stock.changeState(lane.keys, 5, 'PAUSED');
    await lane.loads.open(lane.keys, load, { version: 4, state: 'ARMED' }, 0);
    expect(await lane.view()).toMatchObject({ version: 5, state: 'PAUSED' });
    const again = await begin(2, { version: 6, state: 'ARMED' });
    await lane.loads.open(lane.keys, again.load, { version: 7, state: 'ENDED' }, 0);
    expect(await lane.view()).toMatchObject({ version: 7, state: 'ENDED', selling: true, epoch: 2 });
  });
});

describe('the fence', () => {
  it('a restart and a script flush leave no selling script, and reserving does not bring it', async () => {
    await lane.load();
    expect(await lane.words(lane.attempt('ada', 'k'))).toEqual(['reserved']);
    await redis.script('FLUSH');
    expect(await lane.reserve(lane.attempt('bob', 'k'))).toMatchObject({ word: 'no-script' });
    await lane.sync(lane.row(lane.attempt('ada', 'k'), 1, 'open'));
    await lane.view();
    expect(await lane.reserve(lane.attempt('bob', 'k'))).toMatchObject({ word: 'no-script' });
    expect(await lane.loads.knowsSellingScript()).toBe(false);
    await lane.load();
    await reconnected(() => server.restart());
    expect(await lane.reserve(lane.attempt('bob', 'k'))).toMatchObject({ word: 'no-script' });
  });

  it('without a server nothing is known; to a server that loads nothing is done', async () => {
    await lane.load();
    await server.kill();
    expect(await lane.reserve(lane.attempt('ada', 'k'))).toMatchObject({ word: 'unknown' });
    await reconnected(() => server.run());
  });
});

describe('a rebuild', () => {
  it('after the total loss starts from the allotment and adopts what Postgres has', async () => {
    await lane.load({ perAccount: 5 });
    const [unpaid, paid, closed] = [lane.attempt('ada', 'k', [[1, 2]]), lane.attempt('bob', 'k', [[2, 1]]), lane.attempt('cat', 'k')];
    await lane.decide(unpaid, paid, closed);
    const rows = [lane.row(unpaid, 1, 'open', { number: 1 }), lane.row(paid, 2, 'paid', { number: 2 }), lane.row(closed, 2, 'closed', { number: 3 })];
    await redis.flushall();
    await lane.load({ perAccount: 5 }, rows);
    expect(await lane.counts()).toEqual({ 1: [3, 2], 2: [2, 0] });
    expect(await redis.hgetall(lane.keys.buyer)).toEqual({ ada: '2', bob: '1' });
    expect(await lane.decide(unpaid, closed, lane.attempt('dan', 'k'))).toEqual([
      expect.stringMatching(/^replayed\|1\|/), expect.stringMatching(/^replayed\|3\|/), expect.stringMatching(/^reserved\|4\|/),
    ]);
  });

  it('keeps what Redis still has and Postgres does not know yet, under the new epoch, for the relay', async () => {
    await lane.load();
    const [known, unknown] = [lane.attempt('ada', 'k', [[1, 2]]), lane.attempt('bob', 'k', [[1, 1]])];
    await lane.decide(known);
    await lane.decide(unknown);
    await lane.load({}, [lane.row(known, 2, 'closed')]);
    expect(await lane.counts()).toEqual({ 1: [4, 1], 2: [3, 0] });
    const { entries } = await lane.relay.unconfirmed(lane.keys, lane.epoch, 0, 10);
    expect(entries.flatMap(({ reservations }) => reservations).map(({ rid }) => rid)).toEqual([unknown.rid]);
    expect(await lane.decide(unknown)).toEqual([expect.stringMatching(/^replayed\|2\|\d+\|1\|$/)]);
  });

  it('after a roll-back: older rows in Redis are brought up, lost ones adopted', async () => {
    await lane.load();
    const [kept, lost] = [lane.attempt('ada', 'k', [[1, 2]]), lane.attempt('bob', 'k', [[1, 1]])];
    await lane.decide(kept);
    await lane.load({}, [lane.row(kept, 3, 'paid', { number: 1 }), lane.row(lost, 1, 'open', { number: 2 })]);
    expect(await lane.counts()).toEqual({ 1: [2, 1], 2: [3, 0] });
    expect(await lane.words(lost, kept)).toEqual(['replayed', 'replayed']);
    expect(await lane.decide(lane.attempt('cat', 'k'))).toEqual([expect.stringMatching(/^reserved\|3\|/)]);
  });

  it('heals counters that somebody has destroyed', async () => {
    await lane.load({ perAccount: 5 });
    await lane.decide(lane.attempt('ada', 'k', [[1, 2]]));
    await redis.del(lane.keys.stock, lane.keys.buyer, lane.keys.admitted);
    await lane.load({ perAccount: 5 });
    expect(await lane.counts()).toEqual({ 1: [3, 2], 2: [3, 0] });
    expect(await redis.hgetall(lane.keys.buyer)).toEqual({ ada: '2' });
    expect((await lane.view()).accounts).toEqual(['ada']);
  });

  it('counts each reservation once, whichever of sync and recount meets it first, and however often a load begins', async () => {
    await lane.load({ items: [{ itemId: lane.item(1), allotment: 3_000, perAccount: null }] });
    const attempts = Array.from({ length: 2_500 }, (_, index) => lane.attempt(`account${index}`, 'k'));
    for (let from = 0; from < attempts.length; from += 250) await lane.decide(...attempts.slice(from, from + 250));
    const items = [{ itemId: lane.item(1), allotment: 3_000, perAccount: null }];
    await begin(2, { items });
    await lane.sync(...attempts.slice(0, 500).map((attempt) => lane.row(attempt, 1, 'open')));
    const { load } = await begin(2, { items });
    const recounting = lane.loads.recount(lane.keys, load);
    // Paid, closed and said again while the pages are counted.
    await lane.sync(...attempts.slice(400, 600).map((attempt) => lane.row(attempt, 2, 'paid')));
    await lane.sync(...attempts.slice(2_400).map((attempt) => lane.row(attempt, 2, 'closed')));
    expect(await recounting).toBe('recounted');
    await lane.sync(...attempts.slice(0, 500).map((attempt) => lane.row(attempt, 1, 'open')));
    expect(await open(load)).toBe('selling');
    expect(await lane.counts()).toEqual({ 1: [600, 2_200] });
    expect(await lane.heldOnRecord()).toEqual({ 1: 2_400 });
    expect((await lane.view()).admittedTotal).toBe(2_500);
  });

  it('does not give numbers again that unjudged admissions may have', async () => {
    await lane.load();
    await lane.decide(lane.attempt('ada', 'k'));
    const { load } = await begin(2);
    await lane.loads.recount(lane.keys, load);
    await lane.loads.open(lane.keys, load, { version: 1, state: 'ARMED' }, 256);
    lane.epoch = 2;
    expect(await lane.decide(lane.attempt('bob', 'k'))).toEqual([expect.stringMatching(/^reserved\|258\|/)]);
  });
});

it('out of memory nothing is reserved, but units come back and boards are told', async () => {
  await lane.load();
  const attempt = lane.attempt('ada', 'k');
  await lane.decide(attempt);
  await redis.config('SET', 'maxmemory', '1mb');
  try {
    expect(await lane.reserve(lane.attempt('bob', 'k'))).toEqual({ word: 'refused', detail: expect.stringMatching(/^OOM/) });
    await expect(lane.sync(lane.row(attempt, 2, 'closed'))).resolves.toMatchObject({ applied: 1 });
    expect(await lane.stock.changeState(lane.keys, 9, 'PAUSED')).toBe('changed');
    expect(await lane.counts()).toEqual({ 1: [5, 0], 2: [3, 0] });
  } finally {
    await redis.config('SET', 'maxmemory', '0');
  }
});

/** Our own connection is to be back before the test goes on. */
async function reconnected(happening: () => Promise<void>): Promise<void> {
  await happening();
  await eventually(() => redis.ping());
}
