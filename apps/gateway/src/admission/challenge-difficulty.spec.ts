import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { switchValues } from '@floodgate/contracts';
import { ChallengeDifficulty, triesUnder } from './challenge-difficulty.js';

const values = switchValues(true);
const measured = () => new ChallengeDifficulty({ values } as never);
const calm = { solvedPerSecond: 0, askedByAccount: 1 };

describe('the work a puzzle asks for', () => {
  it.each([
    [calm, 1_000], [{ ...calm, solvedPerSecond: 50 }, 1_000], [{ ...calm, solvedPerSecond: 200 }, 4_000], [{ ...calm, solvedPerSecond: 1e9 }, 32_000],
    [{ ...calm, askedByAccount: 3 }, 1_000], [{ ...calm, askedByAccount: 4 }, 2_000], [{ ...calm, askedByAccount: 8 }, 32_000], [{ ...calm, askedByAccount: 1e9 }, 32_000],
    [{ solvedPerSecond: 100, askedByAccount: 5 }, 8_000],
  ])('under %j is %i tries', (pressure, tries) => expect(triesUnder(pressure, values)).toBe(tries));

  it('never falls when the pressure rises, and stays within its bounds', () => {
    const pressure = fc.record({ solvedPerSecond: fc.float({ min: 0, max: 1e6, noNaN: true }), askedByAccount: fc.nat(1e6) });
    fc.assert(fc.property(pressure, pressure, (a, b) => {
      const more = { solvedPerSecond: Math.max(a.solvedPerSecond, b.solvedPerSecond), askedByAccount: Math.max(a.askedByAccount, b.askedByAccount) };
      expect(triesUnder(more, values)).toBeGreaterThanOrEqual(triesUnder(a, values));
      expect(triesUnder(a, values)).toBeGreaterThanOrEqual(values['challenge.tries-easiest']);
      expect(triesUnder(a, values)).toBeLessThanOrEqual(values['challenge.tries-hardest']);
    }));
  });
});

describe('the pressure', () => {
  it('rises with what is solved, not with what is asked for, and is gone when it is quiet', () => {
    const difficulty = measured();
    for (let n = 0; n < 5_000; n++) difficulty.ask(`bot-${n}`, n);
    expect(difficulty.ask('buyer-1', 5_000)).toBe(1_000);
    for (let n = 0; n < 2_000; n++) difficulty.solved(5_000);
    expect(difficulty.ask('buyer-2', 5_000)).toBe(4_000);
    // The window has turned: what came before it still counts, less and less.
    expect(difficulty.ask('buyer-3', 15_000)).toBe(4_000);
    expect(difficulty.ask('buyer-4', 20_000)).toBe(2_000);
    expect(difficulty.ask('buyer-5', 60_000)).toBe(1_000);
  });

  it('of one account is its own, and is forgiven', () => {
    const difficulty = measured();
    expect(Array.from({ length: 6 }, () => difficulty.ask('bot', 0))).toEqual([1_000, 1_000, 1_000, 2_000, 4_000, 8_000]);
    expect([difficulty.ask('buyer', 0), difficulty.ask('bot', 180_000)]).toEqual([1_000, 1_000]);
  });
});
