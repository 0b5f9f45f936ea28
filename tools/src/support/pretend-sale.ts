import type { View } from '@floodgate/contracts';

import type { Evidence } from '../scenario/evidence.js';
import type { Attempt, Exchange, Purchase } from '../scenario/history.js';

/** What a checker is shown, to be tampered with. */
export type World = { -readonly [K in keyof Evidence]: Evidence[K] } & { attempts: Map<string, Attempt>; purchases: Map<string, Purchase>; orders: View.OrderView[] };

export const itemA = { itemId: 'S-1', quota: 3, perAccount: 2, price: 425 };
export const itemB = { itemId: 'S-2', quota: 5, perAccount: null, price: 100 };
let clock = 0;
/** An exchange; each is later than the one before. */
export const said = (word: string, more: Partial<Exchange> = {}): Exchange => ({ sentAtMs: ++clock, answeredAtMs: ++clock, word, ...more });
export const yes = (rid: string, number: number): Exchange => said('ACCEPTED', { rid, number });

/** A sale that went as it should: one paid, one lapsed after a lost answer, one refused, one that pressed twice. */
export function cleanWorld(): World {
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

export function attempt(world: World, key: string, buyer: string, items: [string, number][], exchanges: Exchange[]): void {
  world.attempts.set(key, { key, buyer, items: items.map(([itemId, quantity]) => ({ itemId, quantity })), exchanges });
}

export function bought(world: World, key: string, rid: string, end: { state: View.OrderView['state']; reason?: View.OrderView['reason']; payment?: Purchase['payment'] }): void {
  const { buyer, items } = world.attempts.get(key)!;
  const shown = [{ version: 1, state: 'ORDERED', reason: null, terminal: false }, { version: 2, state: end.state, reason: end.reason ?? null, terminal: true }] as Purchase['shown'];
  world.purchases.set(rid, { rid, key, buyer, items, shown, payment: end.payment ?? 'none', cancelled: false, missing: 0 });
  world.orders.push(order(rid, items, end.state, end.reason ?? null));
}

export function order(rid: string, items: { itemId: string; quantity: number }[], state: View.OrderView['state'], reason: View.OrderView['reason'] = null): View.OrderView {
  const price = (itemId: string): number => (itemId === 'S-1' ? itemA.price : itemB.price);
  const amount = { amount: items.reduce((sum, item) => sum + item.quantity * price(item.itemId), 0), currency: 'GBP' };
  return {
    id: rid, reservationId: rid, saleId: 'S', amount, state, reason, payBy: null, createdAt: '', updatedAt: '',
    items: items.map(({ itemId, quantity }) => ({ itemId, quantity, skuId: itemId, title: itemId, price: { amount: price(itemId), currency: 'GBP' } })),
  };
}

export const orderOf = (world: World, rid: string): View.OrderView => world.orders.find((one) => one.reservationId === rid)!;
export const say = (world: World, key: string, ...exchanges: Exchange[]): unknown => world.attempts.get(key)!.exchanges.push(...exchanges);
export const setOrder = (world: World, rid: string, change: Partial<View.OrderView>): void => { Object.assign(orderOf(world, rid), change); };
export const setItem = (world: World, index: number, change: Partial<View.AuditView['items'][number]>): void => { Object.assign(world.audit.items[index]!, change); };
