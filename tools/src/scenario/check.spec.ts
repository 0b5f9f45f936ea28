import { describe, expect, it } from '@jest/globals';
import type { View } from '@floodgate/contracts';

import { countFaults, findFaults } from './check.js';
import { rules } from './check-rules.js';
import type { Evidence, FaultKind } from './evidence.js';
import { outcomeOf, type Attempt, type Exchange, type Purchase } from './history.js';
import { judge } from './verdict.js';

type World = { -readonly [K in keyof Evidence]: Evidence[K] } & { attempts: Map<string, Attempt>; purchases: Map<string, Purchase>; orders: View.OrderView[] };

const itemA = { itemId: 'S-1', quota: 3, perAccount: 2, price: 425 };
const itemB = { itemId: 'S-2', quota: 5, perAccount: null, price: 100 };
let clock = 0;
const said = (word: string, more: Partial<Exchange> = {}): Exchange => ({ sentAtMs: ++clock, answeredAtMs: ++clock, word, ...more });
const yes = (rid: string, number: number): Exchange => said('ACCEPTED', { rid, number });

/** A sale that went as it should: one paid, one lapsed after a lost answer, one refused, one that pressed twice. */
function cleanWorld(): World {
  const world: World = { items: [itemA, itemB], perAccount: 4, attempts: new Map(), purchases: new Map(), orders: [], audit: cleanAudit() };
  attempt(world, 'k1', 'ann', [['S-1', 2]], [yes('S.r1', 1), yes('S.r1', 1)]);
  bought(world, 'k1', 'S.r1', { state: 'PAID', payment: 'captured' });
  attempt(world, 'k2', 'bob', [['S-1', 1], ['S-2', 2]], [said('LOST', { reached: 'maybe' }), said('OUTCOME_UNKNOWN', { rid: 'S.r2' }), yes('S.r2', 2)]);
  bought(world, 'k2', 'S.r2', { state: 'RELEASED', reason: 'payment-timeout' });
  attempt(world, 'k3', 'cid', [['S-1', 2]], [said('OVERLOADED'), said('SOLD_OUT', { itemId: 'S-1', remaining: 1 })]);
  return world;
}

function cleanAudit(): View.AuditView {
  const item = (itemId: string, quota: number, sold: number): View.AuditView['items'][number] => ({ itemId, quota, available: quota - sold, held: 0, sold, burned: 0, redisAvailable: quota - sold });
  return {
    verdict: 'clean', saleId: 'S', asOf: '', settling: 0, oversold: 0, lost: 0, duplicated: 0, unexplained: 0, redisEqualsPostgres: true,
    items: [item('S-1', 3, 2), item('S-2', 5, 0)], payments: { captured: 1, refunded: 0 }, findings: [],
  };
}

function attempt(world: World, key: string, buyer: string, items: [string, number][], exchanges: Exchange[]): void {
  world.attempts.set(key, { key, buyer, items: items.map(([itemId, quantity]) => ({ itemId, quantity })), exchanges });
}

function bought(world: World, key: string, rid: string, end: { state: View.OrderView['state']; reason?: View.OrderView['reason']; payment?: Purchase['payment'] }): void {
  const { buyer, items } = world.attempts.get(key)!;
  const shown = [{ version: 1, state: 'ORDERED', reason: null, terminal: false }, { version: 2, state: end.state, reason: end.reason ?? null, terminal: true }] as Purchase['shown'];
  world.purchases.set(rid, { rid, key, buyer, items, shown, payment: end.payment ?? 'none', cancelled: false, missing: 0 });
  world.orders.push(order(rid, items, end.state, end.reason ?? null));
}

function order(rid: string, items: { itemId: string; quantity: number }[], state: View.OrderView['state'], reason: View.OrderView['reason'] = null): View.OrderView {
  const price = (itemId: string): number => (itemId === 'S-1' ? itemA.price : itemB.price);
  const amount = { amount: items.reduce((sum, item) => sum + item.quantity * price(item.itemId), 0), currency: 'GBP' };
  return {
    id: rid, reservationId: rid, saleId: 'S', amount, state, reason, payBy: null, createdAt: '', updatedAt: '',
    items: items.map(({ itemId, quantity }) => ({ itemId, quantity, skuId: itemId, title: itemId, price: { amount: price(itemId), currency: 'GBP' } })),
  };
}

const orderOf = (world: World, rid: string): View.OrderView => world.orders.find((one) => one.reservationId === rid)!;
const say = (world: World, key: string, ...exchanges: Exchange[]): unknown => world.attempts.get(key)!.exchanges.push(...exchanges);
const setOrder = (world: World, rid: string, change: Partial<View.OrderView>): void => { Object.assign(orderOf(world, rid), change); };
const setItem = (world: World, index: number, change: Partial<View.AuditView['items'][number]>): void => { Object.assign(world.audit.items[index]!, change); };

/** One violation each, and the only faults it may be found as. */
const plants: { name: string; plant: (world: World) => void; found: Partial<Record<FaultKind, number>> }[] = [
  { name: 'a key with two reservations', plant: (w) => say(w, 'k1', yes('S.r9', 1)), found: { duplicated: 1 } },
  { name: 'a key admitted twice', plant: (w) => say(w, 'k1', yes('S.r1', 7)), found: { duplicated: 1 } },
  { name: 'a refusal after a 202', plant: (w) => say(w, 'k1', said('SOLD_OUT', { itemId: 'S-1', remaining: 0 })), found: { lost: 1 } },
  { name: 'one reservation for two keys', plant: (w) => attempt(w, 'k4', 'dan', [['S-1', 2]], [yes('S.r1', 9)]), found: { duplicated: 1 } },
  { name: 'one number for two reservations', plant: (w) => { attempt(w, 'k4', 'dan', [['S-2', 1]], [yes('S.r4', 1)]); bought(w, 'k4', 'S.r4', { state: 'RELEASED', reason: 'payment-timeout' }); }, found: { duplicated: 1 } },
  { name: 'sold out while enough were left', plant: (w) => say(w, 'k3', said('SOLD_OUT', { itemId: 'S-1', remaining: 2 })), found: { unexplained: 1 } },
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

  it('a refusal that was on its way before the 202 of the same key', () => {
    const world = cleanWorld();
    const first = yes('S.r1', 1);
    world.attempts.get('k1')!.exchanges = [{ ...said('SOLD_OUT', { itemId: 'S-1', remaining: 0 }), sentAtMs: first.sentAtMs }, first];
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
