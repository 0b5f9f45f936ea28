import { describe, expect, it, jest } from '@jest/globals';
import type { Answer, Ask, Attempt } from '@floodgate/contracts';
import { currentWork, partOf, workFor, type RequestClient } from '@floodgate/platform';
import { PlatformClock } from '../board/platform-clock.js';
import { StandInClient } from '../testing/stand-in.client.js';
import { SeckillClient, batching, type Judged } from './seckill.client.js';

const attempt = (number: number): Attempt => ({ rid: `r${number}`, accountId: `a${number}`, ipHash: '', gate: 'clear', items: 'i:1' });

/** A seckill whose answers are held back until they are let go, one vector at a time. */
function heldBack() {
  const vectors: { ask: Ask<'reserve'>; answer: (answer?: Answer<'reserve'>) => void }[] = [];
  const stand = new StandInClient().on('reserve', (ask) => new Promise((resolve) => {
    vectors.push({ ask, answer: (answer = { results: ask.attempts.map(({ rid }) => ({ word: 'reserved', number: Number(rid.slice(1)), reservedAtMs: 1 })) }) => resolve(answer) });
  }));
  const clock = new PlatformClock();
  clock.see(1_800_000_000_000);
  return { vectors, client: new SeckillClient(stand as unknown as RequestClient, clock) };
}

const settled = () => new Promise((resolve) => { setImmediate(resolve); });
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

describe('attempts of one lane', () => {
  it('go out at once while fewer than two vectors are in flight, then together', async () => {
    const { vectors, client } = heldBack();
    const all = numbers(0, 300).map((number) => client.reserve('sale', 0, attempt(number)));
    await settled();
    expect(vectors.map(({ ask }) => ask.attempts.length)).toEqual([1, 1]);
    vectors[0]?.answer();
    await settled();
    expect(vectors.map(({ ask }) => ask.attempts.length)).toEqual([1, 1, batching.attemptsPerVectorMax]);
    vectors[1]?.answer();
    await settled();
    vectors[2]?.answer();
    vectors[3]?.answer();
    expect((await Promise.all(all)).map((judged) => judged.number)).toEqual(numbers(0, 300));
    expect(vectors).toHaveLength(4);
  });

  it('of different lanes do not wait for each other', async () => {
    const { vectors, client } = heldBack();
    for (const lane of [0, 1, 2]) for (const number of numbers(0, 3)) void client.reserve('sale', lane, attempt(number));
    await settled();
    expect(vectors.map(({ ask }) => ask.lane)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('belong to a request only where they travel alone', async () => {
    const vectors: [string[], string | undefined][] = [];
    const letGo: (() => void)[] = [];
    const stand = new StandInClient().on('reserve', (ask) => new Promise((resolve) => {
      vectors.push([ask.attempts.map(({ rid }) => rid), currentWork()?.requestId]);
      letGo.push(() => resolve({ results: ask.attempts.map(() => ({ word: 'sold-out' })) }));
    }));
    const clock = new PlatformClock();
    clock.see(1_800_000_000_000);
    const client = new SeckillClient(stand as unknown as RequestClient, clock);
    const all = numbers(0, 4).map((number) => partOf(workFor(`request-${number}`), () => client.reserve('sale', 0, attempt(number))));
    await settled();
    letGo.forEach((go) => go());
    await settled();
    letGo.forEach((go) => go());
    await Promise.all(all);
    expect(vectors).toEqual([[['r0'], 'request-0'], [['r1'], 'request-1'], [['r2', 'r3'], undefined]]);
  });

  it('are told unknown when the answer has another number of results', async () => {
    const { vectors, client } = heldBack();
    const judged = client.reserve('sale', 0, attempt(1));
    await settled();
    vectors[0]?.answer({ results: [] });
    expect(await judged).toEqual({ word: 'outcome-unknown' });
  });

  it('are turned away at once when too many wait, and after a while when seckill is silent; those sent are not', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    try {
      const { vectors, client } = heldBack();
      const told: (Judged['word'] | undefined)[] = [];
      numbers(0, batching.attemptsWaitingMax + 2).forEach((number) => void client.reserve('sale', 0, attempt(number)).then(({ word }) => { told[number] = word; }));
      void client.reserve('sale', 0, attempt(9_999)).then(({ word }) => { told[9_999] = word; });
      await settled();
      expect(told[9_999]).toBe('overloaded');
      expect(told[2]).toBeUndefined();
      const laterMs = performance.now() + batching.waitingMaxMs + 1;
      const now = jest.spyOn(performance, 'now').mockReturnValue(laterMs);
      await jest.advanceTimersByTimeAsync(batching.waitingMaxMs + 1);
      now.mockRestore();
      expect([told[2], told.at(batching.attemptsWaitingMax + 1)]).toEqual(['overloaded', 'overloaded']);
      expect([told[0], told[1], vectors.length]).toEqual([undefined, undefined, 2]);
      vectors[0]?.answer();
      await settled();
      expect(told[0]).toBe('reserved');
    } finally {
      jest.useRealTimers();
    }
  });

  it('are unavailable while no clock is known: their deadline could not be told', async () => {
    const stand = new StandInClient();
    const client = new SeckillClient(stand as unknown as RequestClient, new PlatformClock());
    expect(await client.reserve('sale', 0, attempt(1))).toEqual({ word: 'unavailable' });
    expect(stand.asked).toEqual([]);
  });
});
