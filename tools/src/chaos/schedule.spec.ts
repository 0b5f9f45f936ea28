import { describe, expect, it } from '@jest/globals';

import { allCrashPoints, passersOf } from './crash-stories.js';
import { faultKind, faultNames } from './faults.js';
import { completeMinutes, makeSchedule, secondsOf } from './schedule.js';

const seeds = [1, 2, 3, 20_261_128];

describe('the schedule', () => {
  it('is the same for the same seed and length, and another for another seed', () => {
    expect(makeSchedule(7, 6)).toEqual(makeSchedule(7, 6));
    expect(makeSchedule(7, 6).steps).not.toEqual(makeSchedule(8, 6).steps);
  });

  it.each(seeds)('of seed %i has every kind of fault and every crash point, where there is time for all', (seed) => {
    const { steps } = makeSchedule(seed, completeMinutes);
    expect(faultNames.filter((name) => !steps.some(({ fault }) => fault === name))).toEqual([]);
    expect(allCrashPoints.filter((name) => !steps.some(({ point }) => point === name))).toEqual([]);
  });

  it.each(seeds)('of seed %i strikes only whom it may, for as long as it may', (seed) => {
    for (const { fault, target, point, lastsMs } of makeSchedule(seed, 12).steps) {
      const { targets, lastsMs: [least, most] = [0, 0] } = faultKind(fault);
      if (point !== undefined) expect(passersOf(point)).toContain(target);
      else expect(targets ?? [undefined]).toContain(target);
      expect(lastsMs).toBeGreaterThanOrEqual(least);
      expect(lastsMs).toBeLessThanOrEqual(most);
    }
  });

  it('of a short run has what fits, of kinds and crash points both', () => {
    const { steps } = makeSchedule(1, 1);
    expect(steps.reduce((sum, step) => sum + secondsOf(step), 0)).toBeLessThanOrEqual(60);
    expect(steps.some(({ fault }) => fault === 'crash') && steps.some(({ fault }) => fault !== 'crash')).toBe(true);
  });

  it('of a long run goes on to its end, and looks for what the broker lost last', () => {
    const { steps } = makeSchedule(1, 30);
    expect(steps.reduce((sum, step) => sum + secondsOf(step), 0)).toBeGreaterThanOrEqual(30 * 60);
    expect(steps.filter(({ fault }) => fault === 'broker-loses-messages')).toHaveLength(1);
    expect(steps.at(-1)).toMatchObject({ fault: 'crash', point: 'reap.after-publish' });
  });
});
