import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { reserveWords, type Attempt } from '@floodgate/contracts';
import { testUrl } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';
import { LaneFixture } from '../support/lane.fixture.js';
import { connectRedis } from '../support/private.redis.js';
import { scripts } from './scripts.js';
import { attemptWords, type AttemptWord } from './stock.store.js';

const HOUR_MS = 3_600_000;
let redis: Redis;
let lane: LaneFixture;

beforeAll(async () => { redis = await connectRedis(testUrl('TEST_REDIS_URL')); });
beforeEach(() => { lane = new LaneFixture(redis); });
afterAll(async () => { await redis.quit(); });

/** One case per word, as [what the lane is, what has happened, the attempt, the whole result]; the table must know every word. */
const cases: Record<AttemptWord, () => Promise<{ attempt: Attempt; result: unknown }>> = {
  'reserved': async () => {
    await lane.load();
    return { attempt: lane.attempt('ada', 'k'), result: expect.stringMatching(/^reserved\|1\|\d{13}$/) };
  },
  'replayed': async () => {
    await lane.load();
    const attempt = lane.attempt('ada', 'k', [[1, 1]], { ipHash: 'a1' });
    const [first] = await lane.decide(attempt);
    return { attempt: { ...attempt, ipHash: 'b2' }, result: `${first!.replace('reserved', 'replayed')}|1|a1` };
  },
  'key-reused': async () => {
    await lane.load();
    await lane.decide(lane.attempt('ada', 'k'));
    return { attempt: lane.attempt('ada', 'k', [[1, 2]]), result: 'key-reused' };
  },
  'not-open': async () => {
    await lane.load({ opensAtMs: Date.now() + HOUR_MS });
    return { attempt: lane.attempt('ada', 'k'), result: 'not-open' };
  },
  'paused': async () => {
    await lane.load({ state: 'PAUSED' });
    return { attempt: lane.attempt('ada', 'k'), result: 'paused' };
  },
  'ended': async () => {
    await lane.load({ closesAtMs: Date.now() - 1 });
    return { attempt: lane.attempt('ada', 'k'), result: 'ended' };
  },
  'gated': async () => {
    await lane.load();
    return { attempt: lane.attempt('ada', 'k', [[1, 1]], { gate: 'buyer-blocked' }), result: 'gated' };
  },
  'item-not-found': async () => {
    await lane.load();
    return { attempt: lane.attempt('ada', 'k', [[1, 1], [9, 1]]), result: `item-not-found|${lane.item(9)}` };
  },
  'limit-reached': async () => {
    await lane.load({ perAccount: 2 });
    await lane.decide(lane.attempt('ada', 'k1', [[1, 2]]));
    return { attempt: lane.attempt('ada', 'k2', [[2, 1]]), result: 'limit-reached|sale|2' };
  },
  'sold-out': async () => {
    await lane.load();
    await lane.decide(lane.attempt('ada', 'k', [[1, 4]]));
    return { attempt: lane.attempt('bob', 'k', [[1, 2]]), result: `sold-out|${lane.item(1)}|1|1` };
  },
  'malformed': async () => {
    await lane.load();
    return { attempt: { ...lane.attempt('ada', 'k'), items: `${lane.item(1)}:-5` }, result: 'malformed' };
  },
};

describe('every word of the reserve script', () => {
  it.each(Object.keys(cases) as AttemptWord[])('%s', async (word) => {
    const { attempt, result } = await cases[word]();
    const before = await lane.everything();
    expect(await lane.decide(attempt)).toEqual([result]);
    const unchanged = JSON.stringify(await lane.everything()) === JSON.stringify(before);
    expect(unchanged).toBe(word !== 'reserved');
  });

  it('stands in the header of the script, and is a word of the contract or becomes one', () => {
    const header = scripts.reserve.text.slice(scripts.reserve.text.indexOf('attempt:'), scripts.reserve.text.indexOf('local '));
    for (const word of attemptWords) expect(header).toMatch(new RegExp(`(^|[\\s|])${word}\\b`, 'm'));
    expect(attemptWords.filter((word) => !(reserveWords as readonly string[]).includes(word))).toEqual(['malformed']);
  });
});

describe('the vector as a whole is refused, and nothing is written', () => {
  const lanes: [string, string, () => Promise<void>, { epoch: number; deadlineMs: number }][] = [
    // The scripts are there: another lane was loaded.
    ['a lane that Redis does not have', 'forgotten', () => new LaneFixture(redis).load(), { epoch: 1, deadlineMs: 60_000 }],
    ['another epoch', 'stale-epoch', () => lane.load(), { epoch: 2, deadlineMs: 60_000 }],
    ['after its deadline, by the clock of Redis', 'late', () => lane.load(), { epoch: 1, deadlineMs: -5_000 }],
    ['while it is loaded', 'not-selling', async () => {
      await lane.load();
      await redis.hset(lane.keys.sale, 'selling', '0');
    }, { epoch: 1, deadlineMs: 60_000 }],
    ['a lane whose stock was deleted', 'forgotten', async () => {
      await lane.load();
      await redis.del(lane.keys.stock);
    }, { epoch: 1, deadlineMs: 60_000 }],
  ];
  it.each(lanes)('%s: %s', async (_what, word, arrange, { epoch, deadlineMs }) => {
    await arrange();
    const before = await lane.everything();
    expect(await lane.stock.reserve(lane.keys, epoch, Date.now() + deadlineMs, [lane.attempt('ada', 'k')])).toMatchObject({ word });
    expect(await lane.everything()).toEqual(before);
  });
});

describe('order of refusals', () => {
  const HOSTILE: Partial<Attempt> = { gate: 'entry-token-forged' };

  it('a replay comes before state, gate, limit and stock', async () => {
    await lane.load({ perAccount: 5 });
    const attempt = lane.attempt('ada', 'k', [[1, 5]]);
    await lane.decide(attempt);
    await lane.stock.changeState(lane.keys, 2, 'PAUSED');
    expect(await lane.words({ ...attempt, gate: 'entry-token-expired' }, lane.attempt('ada', 'other'))).toEqual(['replayed', 'paused']);
  });

  it('a forged token gets no replay, and hears the state first', async () => {
    await lane.load();
    const attempt = lane.attempt('ada', 'k');
    await lane.decide(attempt);
    expect(await lane.words({ ...attempt, ...HOSTILE })).toEqual(['gated']);
    await lane.stock.changeState(lane.keys, 2, 'WITHDRAWN');
    expect(await lane.words({ ...attempt, ...HOSTILE })).toEqual(['ended']);
  });

  it('the gate comes before item, limit and stock; item before limit, limit before stock', async () => {
    await lane.load({ perAccount: 1 });
    await lane.decide(lane.attempt('ada', 'k'), lane.attempt('bob', 'k'), lane.attempt('cat', 'k'), lane.attempt('dan', 'k'), lane.attempt('eve', 'k'));
    expect(await lane.words(
      lane.attempt('ada', 'k2', [[9, 1]], { gate: 'not-eligible' }), lane.attempt('ada', 'k2', [[1, 1], [9, 1]]), lane.attempt('ada', 'k2'), lane.attempt('fay', 'k'),
    )).toEqual(['gated', 'item-not-found', 'limit-reached', 'sold-out']);
  });

  it('opens to the millisecond, and closes so', async () => {
    const { nowMs } = await lane.boards.read(lane.keys, { load: '', count: 0 }, 0);
    await lane.load({ opensAtMs: nowMs, closesAtMs: nowMs + HOUR_MS });
    expect(await lane.words(lane.attempt('ada', 'k'))).toEqual(['reserved']);
    await redis.hset(lane.keys.sale, 'closesAtMs', String(nowMs));
    expect(await lane.words(lane.attempt('bob', 'k'))).toEqual(['ended']);
  });
});

describe('limits count units held or paid', () => {
  it('of an item, of the sale, of an address', async () => {
    await lane.load({ perAccount: 3, perIp: 4, items: [{ itemId: lane.item(1), allotment: 50, perAccount: 2 }, { itemId: lane.item(2), allotment: 50, perAccount: null }] });
    const ip = { ipHash: 'cafe' };
    expect(await lane.decide(lane.attempt('ada', '1', [[1, 3]], ip), lane.attempt('ada', '2', [[1, 2]], ip), lane.attempt('ada', '3', [[2, 2]], ip), lane.attempt('bob', '1', [[2, 3]], ip))).toEqual([
      'limit-reached|item|2', expect.stringMatching(/^reserved/), 'limit-reached|sale|3', 'limit-reached|ip|4',
    ]);
  });

  it('again free after release, not after payment', async () => {
    await lane.load({ perAccount: 2, perIp: 2 });
    const [first, second] = [lane.attempt('ada', '1', [[1, 1]], { ipHash: 'a' }), lane.attempt('ada', '2', [[1, 1]], { ipHash: 'a' })];
    await lane.decide(first, second);
    await lane.sync(lane.row(first, 1, 'paid'));
    expect(await lane.words(lane.attempt('ada', '3', [[1, 1]], { ipHash: 'a' }))).toEqual(['limit-reached']);
    await lane.sync(lane.row(second, 1, 'closed'));
    expect(await lane.words(lane.attempt('ada', '3', [[1, 1]], { ipHash: 'a' }))).toEqual(['reserved']);
  });
});

describe('a rate that the gateway found passed', () => {
  const gates = ['rate-limited-ip', 'rate-limited-account', 'rate-limited-sale'] as const;

  it.each(gates)('%s comes after replay, state and unknown items, before limits and stock, and takes nothing', async (gate) => {
    await lane.load({ perAccount: 2 });
    const won = lane.attempt('ada', 'k', [[1, 2]]);
    await lane.decide(won);
    const before = await lane.everything();
    expect(await lane.words(
      { ...won, gate }, lane.attempt('ada', 'k', [[2, 1]], { gate }), lane.attempt('bob', 'k', [[9, 1]], { gate }),
      lane.attempt('ada', 'k2', [[1, 1]], { gate }), lane.attempt('bob', 'k', [[1, 99]], { gate }), lane.attempt('bob', 'k', [[1, 1]], { gate }),
    )).toEqual(['replayed', 'key-reused', 'item-not-found', 'gated', 'gated', 'gated']);
    expect(await lane.everything()).toEqual(before);
    const closed = new LaneFixture(redis);
    await closed.load({ closesAtMs: Date.now() - 1 });
    expect(await closed.words(closed.attempt('ada', 'k', [[1, 1]], { gate }))).toEqual(['ended']);
  });
});

describe('account and address together', () => {
  it('bind the same attempt: the account wherever it comes from, the address whoever comes from it', async () => {
    await lane.load({ perAccount: 2, perIp: 3, items: [{ itemId: lane.item(1), allotment: 50, perAccount: null }] });
    const attempt = (account: string, key: string, ipHash: string) => lane.attempt(account, key, [[1, 1]], { ipHash });
    const [first, , third] = [attempt('ada', '1', 'home'), attempt('ada', '2', 'work'), attempt('bob', '1', 'home')] as const;
    expect(await lane.words(first, attempt('ada', '2', 'work'))).toEqual(['reserved', 'reserved']);
    expect(await lane.decide(attempt('ada', '3', 'cafe'))).toEqual(['limit-reached|sale|2']);
    expect(await lane.words(third, attempt('cid', '1', 'home'))).toEqual(['reserved', 'reserved']);
    expect(await lane.decide(attempt('dan', '1', 'home'))).toEqual(['limit-reached|ip|3']);
    // A refused attempt has counted for neither: the same account passes from elsewhere, and what is given back is free for both.
    expect(await lane.words(attempt('dan', '2', 'work'))).toEqual(['reserved']);
    await lane.sync(lane.row(first, 1, 'closed'));
    expect(await lane.words(attempt('ada', '4', 'home'), attempt('eve', '1', 'home'))).toEqual(['reserved', 'limit-reached']);
  });
});

describe('within one vector', () => {
  it('later attempts see what earlier ones took', async () => {
    await lane.load();
    expect(await lane.words(lane.attempt('a', 'k', [[1, 3]]), lane.attempt('b', 'k', [[1, 3]]), lane.attempt('c', 'k', [[1, 2]]), lane.attempt('d', 'k'))).toEqual(['reserved', 'sold-out', 'reserved', 'sold-out']);
    expect(await lane.counts()).toEqual({ 1: [0, 5], 2: [3, 0] });
  });

  it('the same attempt twice takes once, and its other body is a reused key', async () => {
    await lane.load();
    const attempt = lane.attempt('ada', 'k');
    const [first, second, third] = await lane.decide(attempt, attempt, lane.attempt('ada', 'k', [[2, 1]]));
    expect([first, second, third]).toEqual([expect.stringMatching(/^reserved\|1\|/), expect.stringMatching(/^replayed\|1\|\d+\|1\|$/), 'key-reused']);
    expect(await lane.counts()).toEqual({ 1: [4, 1], 2: [3, 0] });
  });

  it('an order is whole or nothing', async () => {
    await lane.load();
    expect(await lane.decide(lane.attempt('ada', 'k', [[1, 5], [2, 4]]))).toEqual([`sold-out|${lane.item(2)}|3|0`]);
    expect(await lane.counts()).toEqual({ 1: [5, 0], 2: [3, 0] });
  });

  it('numbers rise, admissions are listed in order, one relay entry names all', async () => {
    await lane.load();
    const attempts = ['a', 'b', 'c'].map((account) => lane.attempt(account, 'k'));
    const verdict = await lane.reserve(...attempts);
    expect((await lane.view()).accounts).toEqual(['a', 'b', 'c']);
    expect(verdict).toMatchObject({ word: 'selling', attempts: [1, 2, 3].map((number) => expect.stringMatching(`^reserved\\|${number}\\|`)) });
    expect(await redis.xrange(lane.keys.relay, '-', '+')).toEqual([[(verdict as { relayId: string }).relayId, ['rids', attempts.map(({ rid }) => rid).join(' ')]]]);
  });

  it('256 attempts of 20 items each fit', async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
    await lane.load({ perAccount: 100, items: numbers.map((number) => ({ itemId: lane.item(number), allotment: 256, perAccount: 5 })) });
    const attempts = Array.from({ length: 256 }, (_, index) => lane.attempt(`account${index}`, 'k', numbers.map((number) => [number, 1])));
    expect(new Set(await lane.words(...attempts))).toEqual(new Set(['reserved']));
    expect(Object.values(await lane.counts())).toEqual(numbers.map(() => [0, 256]));
  });
});

describe('quantities and ids are checked in the script too', () => {
  const one = (items: string): Attempt => ({ ...lane.attempt('ada', 'k'), items });
  it.each(['0', '-5', '1.5', '1e1', '0x1', '01', '+1', ' 1', '1 ', 'nan', 'inf', '101', '999', '1000', '', '１', '9007199254740993'])('%j is refused', async (quantity) => {
    await lane.load();
    const before = await lane.everything();
    expect(await lane.words(one(`${lane.item(1)}:${quantity}`))).toEqual(['malformed']);
    expect(await lane.everything()).toEqual(before);
  });

  it.each(['', ':1', 'x', 'x:', 'x:1,', 'a|b:1', 'a b:1', 'x:1:1'])('the form %j is refused', async (items) => {
    await lane.load();
    expect(await lane.words(one(items))).toEqual(['malformed']);
  });

  it('the same item twice, and more than 20 items', async () => {
    await lane.load();
    const item = lane.item(1);
    expect(await lane.words(one(`${item}:1,${item}:2`), one(Array.from({ length: 21 }, (_, index) => `i${index}:1`).join(',')))).toEqual(['malformed', 'malformed']);
  });

  it('100 of one item is the most', async () => {
    await lane.load({ items: [{ itemId: lane.item(1), allotment: 1_000, perAccount: null }] });
    expect(await lane.words(lane.attempt('ada', 'k', [[1, 100]]))).toEqual(['reserved']);
    expect(await lane.counts()).toEqual({ 1: [900, 100] });
  });
});

describe('a buyer who comes back with late money', () => {
  const back = (key: string, items?: [number, number][]) => lane.attempt('ada', key, items, { gate: 'readmitted' });

  it.each([
    ['has ended by the clock', { closesAtMs: Date.now() - 1 }], ['was ended', { state: 'ENDED' as const }], ['is paused', { state: 'PAUSED' as const }],
    ['is open', {}],
  ])('is let in while the sale %s, once', async (_, change) => {
    await lane.load(change);
    expect(await lane.words(back('k'), back('k'))).toEqual(['reserved', 'replayed']);
    expect(await lane.counts()).toMatchObject({ 1: [4, 1] });
  });

  it('is turned away by a withdrawn sale, by the limits and by want of stock, like everybody', async () => {
    await lane.load({ state: 'WITHDRAWN' });
    expect(await lane.decide(back('k'))).toEqual(['ended']);
    lane = new LaneFixture(redis);
    await lane.load({ closesAtMs: Date.now() - 1, perAccount: 5 });
    expect(await lane.words(back('k1', [[1, 4]]), back('k2', [[1, 2]]), lane.attempt('bob', 'k', [[1, 2]], { gate: 'readmitted' }))).toEqual(['reserved', 'limit-reached', 'sold-out']);
    expect(await lane.words(lane.attempt('eve', 'k'))).toEqual(['ended']);
  });
});
