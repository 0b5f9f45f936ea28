import { describe, expect, it } from '@jest/globals';
import { InfrastructureError } from '../errors.js';
import { Batcher } from './batcher.js';

/** A batcher whose work waits until it is let go, and what it was asked. */
function heldBatcher(run: (ask: number) => string = String, sizeMax = 3) {
  const batches: number[][] = [];
  const gates: (() => void)[] = [];
  const batcher = new Batcher<number, string>(async (asks) => {
    batches.push(asks);
    await new Promise<void>((resolve) => gates.push(resolve));
    return asks.map(run);
  }, { sizeMax, batchesInFlightMax: 1 });
  const letGo = async (): Promise<void> => {
    gates.shift()?.();
    for (let turns = 0; turns < 10; turns++) await Promise.resolve();
  };
  return { batcher, batches, letGo, open: () => gates.length };
}

describe('Batcher', () => {
  it('sends the first alone and at once, and the rest in company, each answer to its caller', async () => {
    const { batcher, batches, letGo } = heldBatcher();
    const answers = Promise.all([1, 2, 3, 4, 5].map((ask) => batcher.ask(ask)));
    expect(batches).toEqual([[1]]);
    await letGo();
    expect(batches).toEqual([[1], [2, 3, 4]]);
    await letGo();
    await letGo();
    expect(batches).toEqual([[1], [2, 3, 4], [5]]);
    expect(await answers).toEqual(['1', '2', '3', '4', '5']);
  });

  it('gives an error to the question that caused it, and answers to its neighbours', async () => {
    const batcher = new Batcher<number, string>((asks) => {
      if (asks.includes(3)) return Promise.reject(new Error('three'));
      return Promise.resolve(asks.map(String));
    }, { sizeMax: 10, batchesInFlightMax: 1 });
    const settled = await Promise.allSettled([0, 1, 2, 3, 4].map((ask) => batcher.ask(ask)));
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message))).toEqual(['0', '1', '2', 'three', '4']);
  });

  it('does not look for a guilty one in an outage', async () => {
    let runs = 0;
    const batcher = new Batcher<number, string>(() => {
      runs++;
      return Promise.reject(new InfrastructureError('away'));
    }, { sizeMax: 10, batchesInFlightMax: 1 });
    const settled = await Promise.allSettled([0, 1, 2, 3, 4].map((ask) => batcher.ask(ask)));
    expect(settled.every((one) => one.status === 'rejected' && one.reason instanceof InfrastructureError)).toBe(true);
    expect(runs).toBe(2);
  });

  it('takes another number of answers for a failure', async () => {
    const batcher = new Batcher<number, string>(() => Promise.resolve(['one', 'too many']), { sizeMax: 10, batchesInFlightMax: 1 });
    await expect(batcher.ask(1)).rejects.toThrow('2 answers to 1 questions');
  });
});
