import { describe, expect, it } from '@jest/globals';

import { allCrashPoints, passersOf } from './crash-stories.js';
import { faultKind, faultNames, lengthsOf } from './faults.js';
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
    expect(steps.filter(({ fault }) => fault === 'process-kill').map(({ target }) => target)).toEqual(expect.arrayContaining([...faultKind('process-kill').targets!]));
    expect(allCrashPoints.filter((name) => !steps.some(({ point }) => point === name))).toEqual([]);
  });

  it.each(seeds)('of seed %i strikes only whom it may, for as long as it may', (seed) => {
    for (const { fault, target, point, lastsMs, skewMs } of makeSchedule(seed, 12).steps) {
      const { targets } = faultKind(fault);
      const [least, most] = lengthsOf(fault, 12);
      if (point !== undefined) expect(passersOf(point)).toContain(target);
      else expect(targets ?? [undefined]).toContain(target);
      expect(lastsMs).toBeGreaterThanOrEqual(least);
      expect(lastsMs).toBeLessThanOrEqual(most);
      expect(skewMs !== undefined).toBe(fault === 'process-skew');
    }
  });

  it('of a short run has what fits, of kinds and crash points both', () => {
    const { steps } = makeSchedule(1, 1);
    expect(steps.reduce((sum, step) => sum + secondsOf(step), 0)).toBeLessThanOrEqual(60);
    expect(steps.some(({ fault }) => fault === 'crash') && steps.some(({ fault }) => fault !== 'crash')).toBe(true);
  });

  it('freezes for a minute and a half at most, and that long only in a long run', () => {
    expect([1, 6, 45, 600].map((minutes) => lengthsOf('process-freeze', minutes)[1])).toEqual([6_000, 6_000, 84_000, 90_000]);
  });

  it('of a long run goes on to its end, and looks for what the broker lost last', () => {
    const { steps } = makeSchedule(1, 30);
    expect(steps.reduce((sum, step) => sum + secondsOf(step), 0)).toBeGreaterThanOrEqual(30 * 60);
    expect(steps.filter(({ fault }) => fault === 'broker-loses-messages')).toHaveLength(1);
    expect(steps.at(-1)).toMatchObject({ fault: 'crash', point: 'reap.after-publish' });
  });
});
