import { describe, expect, it } from '@jest/globals';

import { attempt, bought, cleanWorld, itemA, itemB, order, orderOf, said, say, setItem, setOrder, yes, type World } from '../support/pretend-sale.js';
import { countFaults, findFaults } from './check.js';
import { rules } from './check-rules.js';
import type { FaultKind } from './evidence.js';
import { outcomeOf, type Exchange } from './history.js';
import { judge } from './verdict.js';

/** One violation each, and the only faults it may be found as. */
const plants: { name: string; plant: (world: World) => void; found: Partial<Record<FaultKind, number>> }[] = [
  { name: 'a key with two reservations', plant: (w) => say(w, 'k1', yes('S.r9', 1)), found: { duplicated: 1 } },
  { name: 'a key admitted twice', plant: (w) => say(w, 'k1', yes('S.r1', 7)), found: { duplicated: 1 } },
  { name: 'a refusal after a 202', plant: (w) => say(w, 'k1', said('SOLD_OUT', { itemId: 'S-1', remaining: 0 })), found: { lost: 1 } },
  { name: 'one reservation for two keys', plant: (w) => attempt(w, 'k4', 'dan', [['S-1', 2]], [yes('S.r1', 9)]), found: { duplicated: 1 } },
  { name: 'one number for two reservations', plant: (w) => { attempt(w, 'k4', 'dan', [['S-2', 1]], [yes('S.r4', 1)]); bought(w, 'k4', 'S.r4', { state: 'RELEASED', reason: 'payment-timeout' }); }, found: { duplicated: 1 } },
  { name: 'sold out while enough were left', plant: (w) => say(w, 'k3', said('SOLD_OUT', { itemId: 'S-1', remaining: 2 })), found: { unexplained: 1 } },
  { name: 'sold out for an item that was not asked for, with some left', plant: (w) => say(w, 'k3', said('SOLD_OUT', { itemId: 'S-2', remaining: 1 })), found: { unexplained: 1 } },
  { name: 'a 202 without an order', plant: (w) => { w.orders = w.orders.filter((one) => one.id !== 'S.r2'); }, found: { lost: 1 } },
  { name: 'a reservation listed twice', plant: (w) => w.orders.push(orderOf(w, 'S.r2')), found: { duplicated: 1 } },
  { name: 'a 202 taken back', plant: (w) => { setOrder(w, 'S.r2', { reason: 'order-rejected' }); w.purchases.get('S.r2')!.shown.at(-1)!.reason = 'order-rejected'; }, found: { lost: 1 } },
  { name: 'a 202 taken back for the warehouse', plant: (w) => { setOrder(w, 'S.r2', { reason: 'out-of-inventory' }); w.purchases.get('S.r2')!.shown.at(-1)!.reason = 'out-of-inventory'; }, found: { lost: 1 } },
  { name: 'other items than asked', plant: (w) => setOrder(w, 'S.r2', { items: orderOf(w, 'S.r2').items.slice(1) }), found: { unexplained: 1 } },
  { name: 'another amount', plant: (w) => setOrder(w, 'S.r1', { amount: { amount: 1, currency: 'GBP' } }), found: { unexplained: 1 } },
  { name: 'an order that nobody was told of', plant: (w) => w.orders.push(order('S.r8', [{ itemId: 'S-2', quantity: 1 }], 'ORDERED')), found: { unexplained: 1 } },
  { name: 'an order of somebody who was refused', plant: (w) => { attempt(w, 'k4', 'dan', [['S-2', 1]], [said('OUTCOME_UNKNOWN', { rid: 'S.r4' }), said('LIMIT_REACHED')]); w.orders.push(order('S.r4', [{ itemId: 'S-2', quantity: 1 }], 'ORDERED')); }, found: { unexplained: 1 } },
  { name: 'more sold than offered', plant: (w) => { w.items = [{ ...itemA, quota: 1 }, itemB]; setItem(w, 0, { quota: 1, available: -1 }); }, found: { oversold: 1 } },
  { name: 'an audit that counts other sales', plant: (w) => setItem(w, 0, { sold: 1 }), found: { unexplained: 1 } },
  { name: 'units without a fate', plant: (w) => setItem(w, 1, { available: 4 }), found: { unexplained: 1 } },
  { name: 'another quota than offered', plant: (w) => setItem(w, 1, { quota: 6, available: 6 }), found: { unexplained: 1 } },
  { name: 'an item that the audit forgot', plant: (w) => { w.audit.items.pop(); }, found: { unexplained: 1 } },
  { name: 'more than the limit of an item', plant: (w) => { w.items = [{ ...itemA, perAccount: 1 }, itemB]; }, found: { oversold: 1 } },
  { name: 'more than the limit of the sale', plant: (w) => { w.perAccount = 1; }, found: { oversold: 1 } },
  { name: 'paid without a payment', plant: (w) => { w.purchases.get('S.r1')!.payment = 'opened'; }, found: { unexplained: 1 } },
  { name: 'paid after a cancellation', plant: (w) => { w.purchases.get('S.r1')!.cancelled = true; }, found: { unexplained: 1 } },
  { name: 'a capture that nobody has', plant: (w) => { w.audit.payments.captured = 2; }, found: { unexplained: 1 } },
  { name: 'paid for its buyer, released in the records', plant: (w) => { setOrder(w, 'S.r1', { state: 'RELEASED', reason: 'payment-timeout' }); setItem(w, 0, { sold: 0, available: 3 }); w.audit.payments.captured = 0; }, found: { lost: 1, unexplained: 1 } },
  { name: 'released for its buyer with another reason', plant: (w) => setOrder(w, 'S.r2', { reason: 'cancelled-by-buyer' }), found: { unexplained: 1 } },
];

describe('the checker', () => {
  it('finds nothing in a clean sale', () => {
    const world = cleanWorld();
    expect(findFaults(world)).toEqual([]);
    expect(judge(world, world)).toEqual({ verdict: 'clean', counts: { oversold: 0, lost: 0, duplicated: 0, unexplained: 0 }, findings: [] });
  });

  it.each(plants)('finds $name, once', ({ plant, found }) => {
    const world = cleanWorld();
    plant(world);
    expect(countFaults(findFaults(world), world.audit)).toEqual({ oversold: 0, lost: 0, duplicated: 0, unexplained: 0, ...found });
    expect(judge(world, world).verdict).toBe('broken');
  });

  it('has a plant for every rule', () => {
    const unseen = rules.filter((rule) => !plants.some(({ plant }) => {
      const world = cleanWorld();
      plant(world);
      return [...rule(world)].length > 0;
    }));
    expect(unseen.map((rule) => rule.name)).toEqual([]);
  });
});

describe('what is no fault', () => {
  it('an order of an attempt that never had its answer: that is unknown', () => {
    const world = cleanWorld();
    attempt(world, 'k4', 'dan', [['S-2', 1]], [said('OUTCOME_UNKNOWN', { rid: 'S.r4' })]);
    attempt(world, 'k5', 'eve', [['S-2', 1]], [said('LOST', { reached: 'maybe' })]);
    world.orders.push(order('S.r4', [{ itemId: 'S-2', quantity: 1 }], 'RELEASED', 'payment-timeout'), order('S.r5', [{ itemId: 'S-2', quantity: 1 }], 'RELEASED', 'payment-timeout'));
    expect(findFaults(world)).toEqual([]);
    expect(judge(world, world)).toMatchObject({ verdict: 'unknown', findings: ['unknown: 2 keys never had a lasting answer'] });
  });

  it('a resend that the platform could not answer after a 202', () => {
    const world = cleanWorld();
    say(world, 'k1', said('UNAVAILABLE'), said('LOST', { reached: 'maybe' }), yes('S.r1', 1));
    expect(judge(world, world).verdict).toBe('clean');
  });

  it('a second press without an entry token, of a key that has its 202; with one it is', () => {
    const world = cleanWorld();
    say(world, 'k1', said('ENTRY_TOKEN_INVALID', { tokenless: true }));
    expect(findFaults(world)).toEqual([]);
    say(world, 'k1', said('ENTRY_TOKEN_INVALID'));
    expect(countFaults(findFaults(world), world.audit)).toMatchObject({ lost: 1 });
  });

  it('a refusal that was on its way before the 202 of the same key', () => {
    const world = cleanWorld();
    const first = yes('S.r1', 1);
    world.attempts.get('k1')!.exchanges = [{ ...said('SOLD_OUT', { itemId: 'S-1', remaining: 0 }), sentAtMs: first.sentAtMs }, first];
    expect(findFaults(world)).toEqual([]);
  });
});

describe('what the door says to everybody', () => {
  it('sold out, in the name of an item that was not asked for, as nothing of any is left', () => {
    const world = cleanWorld();
    say(world, 'k3', said('SOLD_OUT', { itemId: 'S-2', remaining: 0 }));
    expect(findFaults(world)).toEqual([]);
  });
});

describe('what an operator, late money or a lost opening explain', () => {
  it('an order that was paid, and refunded because its sale was withdrawn: of that sale alone', () => {
    const world = cleanWorld();
    setOrder(world, 'S.r1', { state: 'RELEASED', reason: 'sale-withdrawn' });
    setItem(world, 0, { sold: 0, available: 3 });
    world.audit.payments.refunded = 1;
    expect(findFaults({ ...world, withdrawn: true })).toEqual([]);
    expect(countFaults(findFaults(world), world.audit)).toMatchObject({ lost: 1, unexplained: 1 });
  });

  it('an order that late money bought, and only one that is named by the order that it replaces', () => {
    const world = cleanWorld();
    world.orders.push({ ...order('S.r8', [{ itemId: 'S-2', quantity: 1 }], 'PAID'), replaces: 'S.r2' });
    setItem(world, 1, { sold: 1, available: 4 });
    world.audit.payments.captured = 2;
    expect(countFaults(findFaults(world), world.audit)).toMatchObject({ unexplained: 1 });
    setOrder(world, 'S.r2', { replacedBy: 'S.r8' });
    expect(findFaults(world)).toEqual([]);
  });

  it('a reservation by which late money was to buy its units again, and that came to nothing', () => {
    const world = cleanWorld();
    world.orders.push(order('S.r8', [{ itemId: 'S-2', quantity: 1 }], 'RELEASED', 'order-rejected'));
    expect(countFaults(findFaults(world), world.audit)).toMatchObject({ unexplained: 1 });
    expect(findFaults({ ...world, boughtAgain: new Set(['S.r8']) })).toEqual([]);
    setOrder(world, 'S.r8', { state: 'ORDERED', reason: null });
    expect(countFaults(findFaults({ ...world, boughtAgain: new Set(['S.r8']) }), world.audit)).toMatchObject({ unexplained: 1 });
  });

  it('money that a wayward provider took for a payment that its buyer declined, but not for none', () => {
    const world = cleanWorld();
    world.purchases.get('S.r1')!.payment = 'declined';
    expect(countFaults(findFaults(world), world.audit)).toMatchObject({ unexplained: 1 });
    expect(findFaults({ ...world, waywardProvider: true })).toEqual([]);
    world.purchases.get('S.r1')!.payment = 'none';
    expect(countFaults(findFaults({ ...world, waywardProvider: true }), world.audit)).toMatchObject({ unexplained: 1 });
  });

  it('money for a payment whose opening had no answer', () => {
    const world = cleanWorld();
    world.purchases.get('S.r1')!.payment = 'unanswered';
    expect(findFaults(world)).toEqual([]);
  });
});

describe('the verdict', () => {
  it.each<[string, (world: World) => Parameters<typeof judge>[1]]>([
    ['an open order', (w) => { setOrder(w, 'S.r2', { state: 'ORDERED', reason: null }); w.purchases.get('S.r2')!.shown.pop(); return w; }],
    ['orders that could not be read', (w) => ({ audit: w.audit, orders: null })],
    ['an audit that could not be read', (w) => ({ audit: null, orders: w.orders })],
    ['messages under way', (w) => { w.audit.settling = 3; w.audit.verdict = 'unknown'; return w; }],
  ])('is unknown with %s', (_, change) => {
    const world = cleanWorld();
    expect(judge(world, change(world)).verdict).toBe('unknown');
  });

  it('is broken when Redis does not equal Postgres, or the audit says so', () => {
    const [one, two] = [cleanWorld(), cleanWorld()];
    one.audit.redisEqualsPostgres = false;
    two.audit.verdict = 'broken';
    two.audit.lost = 2;
    expect(judge(one, one).verdict).toBe('broken');
    expect(judge(two, two)).toMatchObject({ verdict: 'broken', counts: { lost: 2 } });
  });
});

describe('the outcome of a key', () => {
  const outcome = (...exchanges: Exchange[]): unknown => outcomeOf({ key: 'k', buyer: 'b', items: [], exchanges });

  it('is its 202, whatever came before or after', () => expect(outcome(said('SOLD_OUT'), yes('S.r', 1), said('UNAVAILABLE'))).toEqual({ word: 'accepted', rid: 'S.r' }));
  it('is the last refusal', () => expect(outcome(said('OVERLOADED'), said('SOLD_OUT'), said('LIMIT_REACHED'))).toEqual({ word: 'refused', code: 'LIMIT_REACHED' }));
  it('is unknown after a lost request, until a refusal asked for later', () => {
    expect(outcome(said('LOST', { reached: 'maybe' }), said('UNAVAILABLE'))).toEqual({ word: 'unknown', rid: null });
    expect(outcome(said('OUTCOME_UNKNOWN', { rid: 'S.r' }), said('SOLD_OUT'))).toEqual({ word: 'refused', code: 'SOLD_OUT' });
    expect(outcome(said('SOLD_OUT'), said('LOST', { reached: 'maybe' }))).toEqual({ word: 'unknown', rid: null });
  });
  it('is a refusal when nothing ever arrived', () => expect(outcome(said('LOST', { reached: 'no' }))).toEqual({ word: 'refused', code: 'UNREACHABLE' }));
});
