import { describe, expect, it } from '@jest/globals';
import { Misbehaviour, misbehaviourSchema } from './misbehaviour.js';

const draws = (settings: object, count = 200) => {
  const misbehaviour = new Misbehaviour(misbehaviourSchema.parse(settings));
  return Array.from({ length: count }, () => misbehaviour.happens('decline'));
};

describe('a share', () => {
  it('is drawn the same way for the same seed, and another for another', () => {
    expect(draws({ decline: 0.5, seed: 7 })).toEqual(draws({ decline: 0.5, seed: 7 }));
    expect(draws({ decline: 0.5, seed: 7 })).not.toEqual(draws({ decline: 0.5, seed: 8 }));
  });

  it('is drawn the same way whatever else is on', () => {
    const misbehaviour = new Misbehaviour(misbehaviourSchema.parse({ decline: 0.5, failClose: 0.5, seed: 7 }));
    const seen = Array.from({ length: 200 }, () => (misbehaviour.happens('failClose'), misbehaviour.happens('decline')));
    expect(seen).toEqual(draws({ decline: 0.5, seed: 7 }));
  });

  it.each([[0, 0, 0], [0.2, 120, 280], [1, 2_000, 2_000]])('of %d happens about as often as it says', (decline, atLeast, atMost) => {
    const count = draws({ decline }, decline === 0.2 ? 1_000 : 2_000).filter(Boolean).length;
    expect(count).toBeGreaterThanOrEqual(atLeast);
    expect(count).toBeLessThanOrEqual(atMost);
  });

  it('begins anew when the switches change', () => {
    const misbehaviour = new Misbehaviour(misbehaviourSchema.parse({}));
    expect(misbehaviour.happens('decline')).toBe(false);
    misbehaviour.change(misbehaviourSchema.parse({ decline: 1 }));
    expect(misbehaviour.happens('decline')).toBe(true);
  });
});

it.each([[{ decline: 2 }], [{ decline: -0.1 }], [{ down: 'maybe' }], [{ failRefunds: 1.5 }], [{ surprise: true }], [{ seed: -1 }]])('refuses the switches %j', (settings) => {
  expect(misbehaviourSchema.safeParse(settings).success).toBe(false);
});
