import { describe, expect, it } from '@jest/globals';

import { rules } from '../scenario/check-rules.js';
import { attempt, bought, cleanWorld, order, orderOf, said, say, setItem, setOrder, yes, type World } from '../support/pretend-sale.js';
import { classify, classOf, type ClassName } from './classes.js';

const none = { lost: 0, unexpected: 0, duplicated: 0, takenBack: 0, wrong: 0 };

const plants: { name: string; plant: (world: World) => void; found: Partial<Record<ClassName, number>> }[] = [
  { name: 'lost: a 202 without an order', plant: (w) => { w.orders = w.orders.filter((one) => one.id !== 'S.r2'); }, found: { lost: 1 } },
  { name: 'unexpected: an order that nobody was told of', plant: (w) => w.orders.push(order('S.r8', [{ itemId: 'S-2', quantity: 1 }], 'ORDERED')), found: { unexpected: 1 } },
  { name: 'duplicated: a key with two reservations', plant: (w) => say(w, 'k1', yes('S.r9', 1)), found: { duplicated: 1 } },
  { name: 'duplicated: a reservation with two orders', plant: (w) => w.orders.push(orderOf(w, 'S.r2')), found: { duplicated: 1 } },
  { name: 'taken back: a refusal after the 202', plant: (w) => say(w, 'k1', said('LIMIT_REACHED')), found: { takenBack: 1 } },
  { name: 'taken back: a 202 whose order was rejected', plant: (w) => { setOrder(w, 'S.r2', { reason: 'order-rejected' }); w.purchases.get('S.r2')!.shown.at(-1)!.reason = 'order-rejected'; }, found: { takenBack: 1 } },
  { name: 'wrong: units without a fate', plant: (w) => setItem(w, 1, { available: 4 }), found: { wrong: 1 } },
];

describe('the classes', () => {
  it('are empty for a clean sale; a key that learned its answer late is counted as recovered', () => {
    expect(classify(cleanWorld())).toEqual({ counts: none, recovered: 1, findings: [] });
  });

  it.each(plants)('$name', ({ plant, found }) => {
    const world = cleanWorld();
    plant(world);
    const { counts, findings } = classify(world);
    expect(counts).toEqual({ ...none, ...found });
    expect(findings).toHaveLength(1);
  });

  it('have a place for every rule of the checker', () => {
    expect(rules.filter((rule) => !classOf.has(rule)).map((rule) => rule.name)).toEqual([]);
  });

  it('do not count as recovered who never had a doubt', () => {
    const world = cleanWorld();
    attempt(world, 'k4', 'dan', [['S-2', 1]], [yes('S.r4', 4)]);
    bought(world, 'k4', 'S.r4', { state: 'RELEASED', reason: 'payment-timeout' });
    expect(classify(world).recovered).toBe(1);
  });
});
