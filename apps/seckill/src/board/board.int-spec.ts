import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { hash32, type BoardLane } from '@floodgate/contracts';
import { eventually, testUrl } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';
import { LaneFixture } from '../support/lane.fixture.js';
import { connectRedis } from '../support/private.redis.js';
import { SeckillHarness } from '../support/seckill.harness.js';

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

const news = (): BoardLane[] => harness.boards.flatMap(({ lanes }) => lanes).filter(({ saleId }) => saleId === lane.saleId);
const ask = (...attempts: Parameters<LaneFixture['words']>) => harness.client.ask('reserve', { saleId: lane.saleId, lane: 0, deadlineAtMs: Date.now() + 60_000, attempts });

it('a beat goes out each second with the clock of Redis, also without lanes', async () => {
  await eventually(() => expect(harness.boards.length).toBeGreaterThan(2));
  const [first, second, third] = harness.boards.slice(-3);
  expect([second!.seq - first!.seq, third!.seq - second!.seq]).toEqual([1, 1]);
  expect(third!.atMs - second!.atMs).toBeLessThan(1_500);
  expect(third!.lanes).toEqual([]);
});

describe('a lane', () => {
  beforeEach(async () => {
    lane = new LaneFixture(redis, await harness.arm());
    lane.epoch = 1;
    await eventually(() => expect(news().at(-1)).toMatchObject({ selling: true }));
  });

  it('is told whole first, then what changed, with whoever was admitted', async () => {
    expect(news().find(({ selling }) => selling)).toMatchObject({ whole: true, epoch: 1, version: 1, state: 'ARMED', items: [[lane.item(1), 5, 0], [lane.item(2), 3, 0]], admittedFrom: 0, admitted: [] });
    await ask(lane.attempt('ada', 'k', [[1, 2]]), lane.attempt('bob', 'k'));
    await eventually(() => expect(news()).toContainEqual(expect.objectContaining({ whole: false, items: [[lane.item(1), 2, 3]], admittedFrom: 0, admitted: [hash32('ada'), hash32('bob')] })));
    await ask(lane.attempt('cat', 'k', [[2, 1]]));
    await eventually(() => expect(news()).toContainEqual(expect.objectContaining({ whole: false, items: [[lane.item(2), 2, 1]], admittedFrom: 2, admitted: [hash32('cat')] })));
  });

  it('that Postgres speaks of is told at once', async () => {
    const attempt = lane.attempt('ada', 'k', [[1, 5]]);
    await ask(attempt);
    await eventually(() => expect(news()).toContainEqual(expect.objectContaining({ items: [[lane.item(1), 0, 5]] })));
    await harness.publisher.publish('sync-stock', { saleId: lane.saleId, lane: 0, rows: [lane.row(attempt, 1, 'paid')] });
    await eventually(() => expect(news()).toContainEqual(expect.objectContaining({ items: [[lane.item(1), 0, 0]] })));
    await harness.publisher.publish('sync-stock', { saleId: lane.saleId, lane: 0, rows: [lane.row(attempt, 2, 'closed')] });
    await eventually(() => expect(news()).toContainEqual(expect.objectContaining({ items: [[lane.item(1), 5, 0]] })));
  });

  it('that is paused is told within a second', async () => {
    await harness.publisher.publish('sale.changed', { saleId: lane.saleId, version: 3, state: 'PAUSED' });
    await eventually(() => expect(news().at(-1)).toMatchObject({ state: 'PAUSED', version: 3 }), 1_000);
    await harness.publisher.publish('sale.changed', { saleId: lane.saleId, version: 2, state: 'ARMED' });
    await harness.publisher.publish('sale.changed', { saleId: lane.saleId, version: 4, state: 'ENDED' });
    await eventually(() => expect(news().at(-1)).toMatchObject({ state: 'ENDED', version: 4 }), 1_000);
    expect(news().some(({ version }) => version === 2)).toBe(false);
  });

  it('whose change of state got lost is made good from the list of lanes', async () => {
    Object.assign(harness.book.lanes.at(-1)!, { version: 7, state: 'PAUSED' });
    await eventually(() => expect(news().at(-1)).toMatchObject({ state: 'PAUSED', version: 7 }));
  });

  it('is told whole to whoever asks', async () => {
    await ask(lane.attempt('ada', 'k', [[1, 2]]));
    const { atMs, lanes } = await harness.client.ask('get-board', { saleIds: [lane.saleId] });
    expect(lanes).toEqual([{
      saleId: lane.saleId, lane: 0, epoch: 1, version: 1, state: 'ARMED', selling: true, atMs, whole: true,
      items: [[lane.item(1), 3, 2], [lane.item(2), 3, 0]], admittedFrom: 0, admitted: [hash32('ada')],
    }]);
    expect((await harness.client.ask('get-board', { saleIds: null })).lanes.map(({ saleId }) => saleId)).toContain(lane.saleId);
    expect((await harness.client.ask('get-board', { saleIds: ['nosuchsale'] })).lanes).toEqual([]);
  });

  it('is on record for the audit and for buyers', async () => {
    const attempt = lane.attempt('ada', 'k', [[1, 2]], { ipHash: 'a1' });
    await ask(attempt);
    const row = { rid: attempt.rid, accountId: 'ada', ipHash: 'a1', items: [{ itemId: lane.item(1), quantity: 2 }], number: 1, reservedAtMs: expect.any(Number), version: 0, holds: true };
    expect(await harness.client.ask('find-reservation', { rid: attempt.rid })).toEqual({ found: { ...row, lane: 0 }, sure: true });
    expect(await harness.client.ask('find-reservation', { rid: lane.attempt('bob', 'k').rid })).toEqual({ found: null, sure: true });
    expect(await harness.client.ask('find-reservation', { rid: new LaneFixture(redis).attempt('bob', 'k').rid })).toEqual({ found: null, sure: true });
    expect(await harness.client.ask('list-holds', { saleId: lane.saleId, lane: 0, cursor: '' })).toEqual({ ok: true, value: { rows: [{ ...row, settled: false }], cursor: null } });
    await eventually(async () => expect(await harness.client.ask('audit-lane', { saleId: lane.saleId, lane: 0 })).toEqual({
      ok: true, value: { epoch: 1, selling: true, relayLength: 0, reservations: 1, stock: [{ itemId: lane.item(1), available: 3, unsettled: 2 }, { itemId: lane.item(2), available: 3, unsettled: 0 }] },
    }));
    expect(await harness.client.ask('audit-lane', { saleId: 'nosuchsale', lane: 0 })).toMatchObject({ ok: false, code: 'SALE_NOT_FOUND' });
  });
});
