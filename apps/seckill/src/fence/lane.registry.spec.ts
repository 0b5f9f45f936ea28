import { describe, expect, it } from '@jest/globals';
import { Lane } from './lane.registry.js';

const second = 1_000;
const ordered = (epoch: number, loadedEpoch: number) => ({ epoch, loadedEpoch, version: 1, state: 'ARMED' as const, closesAtMs: 0 });

describe('a lane that waits for its load', () => {
  it('gives it up after half a minute, counted from the first question', () => {
    const lane = new Lane('S', 0);
    lane.heard(ordered(2, 1));
    expect([100, 130, 131].map((at) => lane.hasWaitedTooLong(at * second))).toEqual([false, false, true]);
  });

  it('waits for none before it has heard of one', () => {
    const lane = new Lane('S', 0);
    expect([0, 1_000].map((at) => lane.hasWaitedTooLong(at * second))).toEqual([false, false]);
  });

  /** Loads one after the other, each `loadSeconds` long, as their queue hands them out; a load that is given up is ordered again. */
  function epochsUntilOpen(loadSeconds: number): number {
    const lane = new Lane('S', 0);
    let epoch = 2;
    lane.heard(ordered(epoch, 1));
    for (let at = 0, loading = 2, doneAt = loadSeconds; at < 3_600; at++) {
      if (at >= doneAt) {
        if (loading === epoch) return epoch;
        loading++;
        doneAt = at + loadSeconds;
      }
      if (lane.hasWaitedTooLong(at * second)) lane.heard(ordered(++epoch, 1));
    }
    throw new Error(`never open, and at epoch ${epoch}`);
  }

  it.each([[10, 2], [40, 3], [100, 5]])('is open in the end where a load takes %i seconds', (loadSeconds, epochs) => {
    expect(epochsUntilOpen(loadSeconds)).toBe(epochs);
  });

  it('is as impatient as at first once it was open', () => {
    const lane = new Lane('S', 0);
    for (const epoch of [2, 3, 4]) {
      lane.heard(ordered(epoch, 1));
      lane.hasWaitedTooLong(0);
    }
    lane.served();
    lane.heard(ordered(5, 4));
    expect([0, 31].map((at) => lane.hasWaitedTooLong(at * second))).toEqual([false, true]);
  });
});
