import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { BoardLane } from '@floodgate/contracts';
import { eventually } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';
import { LaneFixture } from '../support/lane.fixture.js';
import { PrivateRedis } from '../support/private.redis.js';
import { SeckillHarness } from '../support/seckill.harness.js';

jest.setTimeout(60_000);

let server: PrivateRedis;
let redis: Redis;
let harness: SeckillHarness;

beforeAll(async () => {
  server = await PrivateRedis.start('--appendonly', 'yes');
  redis = await server.connect();
  harness = await SeckillHarness.start({ redis: server.url });
}, 60_000);
beforeEach(() => {
  // The lanes of earlier tests are archived.
  Object.assign(harness.book, { lanes: [], rows: [], unjudged: 0 });
});
afterAll(async () => {
  await harness.close();
  redis.disconnect();
  await server.stop();
}, 60_000);

const armed = async (change = {}): Promise<LaneFixture> => {
  const lane = new LaneFixture(redis, await harness.arm(change));
  await selling(lane, 1);
  return lane;
};
const ask = async (lane: LaneFixture, ...attempts: Parameters<LaneFixture['words']>): Promise<string[]> => {
  const { results } = await harness.client.ask('reserve', { saleId: lane.saleId, lane: 0, deadlineAtMs: Date.now() + 60_000, attempts });
  return results.map(({ word }) => word);
};
/** What the gateways were told last of a lane. */
const told = (lane: LaneFixture): BoardLane | undefined => harness.boards.flatMap(({ lanes }) => lanes).findLast(({ saleId }) => saleId === lane.saleId);
const selling = async (lane: LaneFixture, epoch: number): Promise<void> => {
  await eventually(() => expect(told(lane)).toMatchObject({ selling: true, epoch }), 30_000);
};
const epochsLoaded = (lane: LaneFixture): number[] => harness.book.loaded.filter(({ saleId }) => saleId === lane.saleId).map(({ epoch }) => epoch);

describe('Redis comes back without its memory', () => {
  it('stops selling, says so, asks until it is rebuilt, adopts what Postgres has, and sells on', async () => {
    const lanes = [await armed(), await armed()];
    const [kept, released, fresh] = [lanes[0]!.attempt('ada', 'k', [[1, 2]]), lanes[0]!.attempt('bob', 'k'), lanes[0]!.attempt('cat', 'k')];
    expect(await ask(lanes[0]!, kept, released)).toEqual(['reserved', 'reserved']);
    harness.book.rows = [lanes[0]!.row(kept, 1, 'open', { number: 1 }), lanes[0]!.row(released, 2, 'closed', { number: 2 })];
    await reconnected(async () => {
      await redis.flushall();
      await server.restart();
    });
    for (const lane of lanes) await selling(lane, 2);
    expect(harness.boards.flatMap(({ lanes: all }) => all).some(({ saleId, selling: sells }) => saleId === lanes[0]!.saleId && !sells)).toBe(true);
    expect(harness.book.rebuilds.filter(({ seen }) => lanes.every((lane) => seen.some(({ saleId }) => saleId === lane.saleId)))).not.toEqual([]);
    expect(await ask(lanes[0]!, kept, released, fresh)).toEqual(['replayed', 'replayed', 'reserved']);
    expect(await ask(lanes[1]!, lanes[1]!.attempt('ada', 'k'))).toEqual(['reserved']);
    expect(await lanes[0]!.counts()).toEqual({ 1: [2, 3], 2: [3, 0] });
  });

  it('with all of it, too: nobody can tell what the last second was', async () => {
    const lane = await armed();
    const attempt = lane.attempt('ada', 'k');
    expect(await ask(lane, attempt)).toEqual(['reserved']);
    await reconnected(() => server.restart());
    await selling(lane, 2);
    expect(await ask(lane, attempt)).toEqual(['replayed']);
    expect(await lane.counts()).toEqual({ 1: [4, 1], 2: [3, 0] });
  });

  it('while unjudged reservations are in the queue, it waits with selling', async () => {
    const lane = await armed();
    harness.book.unjudged = 3;
    await reconnected(() => server.restart());
    await eventually(() => expect(harness.book.lanes[0]!.epoch).toBe(2));
    await eventually(async () => expect(await ask(lane, lane.attempt('ada', 'k'))).toEqual(['unavailable']));
    harness.book.unjudged = 0;
    await selling(lane, 2);
    expect(await ask(lane, lane.attempt('ada', 'k'))).toEqual(['reserved']);
  });
});

describe('less than a restart', () => {
  it.each<[string, (lane: LaneFixture) => Promise<unknown>]>([
    ['the scripts flushed', () => redis.script('FLUSH')],
    ['everything flushed', () => redis.flushall()],
    ['the lane deleted', (lane) => lane.drop()],
    ['its stock deleted', (lane) => redis.del(lane.keys.stock)],
  ])('%s: rebuilt under a new epoch', async (_what, happening) => {
    const lane = await armed();
    await happening(lane);
    await eventually(async () => {
      // Whoever asks meanwhile is told "not now", never a lie.
      const [word] = await ask(lane, lane.attempt('ada', 'k'));
      expect(['unavailable', 'reserved', 'replayed']).toContain(word);
      expect(epochsLoaded(lane)).toContain(2);
    });
    await selling(lane, 2);
    expect(['reserved', 'replayed']).toContain((await ask(lane, lane.attempt('ada', 'k')))[0]);
    expect(await lane.counts()).toEqual({ 1: [4, 1], 2: [3, 0] });
  });

  it('a number that Redis has never given: it has forgotten, and is rebuilt', async () => {
    const lane = await armed();
    const row = lane.row(lane.attempt('ada', 'k'), 1, 'open', { number: 40 });
    harness.book.rows = [row];
    await harness.publisher.publish('sync-stock', { saleId: lane.saleId, lane: 0, rows: [row] });
    await selling(lane, 2);
    expect(await lane.decide(lane.attempt('bob', 'k')).catch(() => [])).toEqual([]);
    lane.epoch = 2;
    expect(await lane.decide(lane.attempt('bob', 'k'))).toEqual([expect.stringMatching(/^reserved\|41\|/)]);
  });

  it('the link cut, the server as it was: sells on under the same epoch', async () => {
    const lane = await armed();
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(async () => expect(await ask(lane, lane.attempt('ada', 'k'))).toEqual(['reserved']));
    expect(epochsLoaded(lane)).toEqual([1]);
  });

  it('a server that hangs: unknown, then unavailable at once, then as before', async () => {
    const lane = await armed();
    server.signal('SIGSTOP');
    expect(['outcome-unknown', 'unavailable']).toContain((await ask(lane, lane.attempt('ada', 'k')))[0]);
    await eventually(async () => {
      const before = performance.now();
      expect(await ask(lane, lane.attempt('ada', 'k'))).toEqual(['unavailable']);
      expect(performance.now() - before).toBeLessThan(200);
    });
    expect(told(lane)).toMatchObject({ selling: false });
    server.signal('SIGCONT');
    await eventually(async () => expect((await ask(lane, lane.attempt('ada', 'k')))[0]).toMatch(/^re(served|played)$/));
    expect(epochsLoaded(lane)).toEqual([1]);
    expect(await lane.counts()).toEqual({ 1: [4, 1], 2: [3, 0] });
  });
});

describe('arming', () => {
  it('into a Redis that has restarted loads all lanes together, under new epochs', async () => {
    const first = await armed();
    await redis.script('FLUSH');
    const second = new LaneFixture(redis, await harness.arm());
    await selling(first, 2);
    await selling(second, 2);
    expect(epochsLoaded(second)).toEqual([2]);
  });

  it('said twice, or too late, is loaded once and told again', async () => {
    const lane = await armed();
    expect(await ask(lane, lane.attempt('ada', 'k'))).toEqual(['reserved']);
    const { loadedEpoch: _loadedEpoch, ...load } = harness.book.lanes[0]!;
    await harness.publisher.publish('load-lanes', { reason: 'arm', lanes: [load] });
    await eventually(() => expect(epochsLoaded(lane)).toEqual([1, 1]));
    await reconnected(() => server.restart());
    await selling(lane, 2);
    await harness.publisher.publish('load-lanes', { reason: 'arm', lanes: [load] });
    expect(await ask(lane, lane.attempt('ada', 'k'))).toEqual(['replayed']);
    expect(await lane.counts()).toEqual({ 1: [4, 1], 2: [3, 0] });
  });

  it('without Redis fails with a reason, once, and succeeds when it is back', async () => {
    await server.kill();
    const arming = harness.arm();
    await eventually(() => expect(harness.book.failures).toEqual([{ saleId: harness.book.lanes[0]!.saleId, error: expect.stringContaining('redis') }]));
    await reconnected(() => server.run());
    await arming;
    expect(harness.book.failures).toHaveLength(1);
  });

  it('another process learns of the lane, sells from it, and follows a rebuild', async () => {
    const lane = await armed();
    await harness.run({ redis: server.url });
    const sources = (epoch: number) => new Set(harness.boards
      .filter(({ lanes }) => lanes.some((each) => each.saleId === lane.saleId && each.selling && each.epoch === epoch)).map(({ source }) => source)).size;
    await eventually(() => expect(sources(1)).toBe(2));
    // The queue hands the vectors to both in turn.
    expect(new Set([await ask(lane, lane.attempt('ada', 'k')), await ask(lane, lane.attempt('bob', 'k'))].flat())).toEqual(new Set(['reserved']));
    await reconnected(() => server.restart());
    await eventually(() => expect(sources(2)).toBe(2), 30_000);
    expect(new Set([await ask(lane, lane.attempt('cat', 'k')), await ask(lane, lane.attempt('dan', 'k'))].flat())).toEqual(new Set(['reserved']));
  });
});

/** Our own connection is to be back before the test goes on. */
async function reconnected(happening: () => Promise<void>): Promise<void> {
  await happening();
  await eventually(() => redis.ping());
}
