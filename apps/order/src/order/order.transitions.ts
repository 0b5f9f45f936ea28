import type { ReleaseReason, ReservationState } from '@floodgate/contracts';

/** States of an order row. */
export const orderStates = ['PENDING', 'CLOSING', 'STUCK', 'PAID', 'FULFILLED', 'REFUNDING', 'CLOSED'] as const;
export type OrderState = (typeof orderStates)[number];

/** States of a new row (version 1): waiting for payment, parked by a dead letter, or decided at once (refused, or a tombstone). */
export const firstStates = ['PENDING', 'STUCK', 'CLOSED'] as const satisfies readonly OrderState[];

/**
 * The only ways an order can go; each raises its version by one. CLOSED is absorbing; a paid order is fulfilled, and left only through a refund.
 * A trigger in Postgres repeats this table, and a test compares the two, pair by pair.
 */
export const orderTransitions = {
  PENDING: ['CLOSING', 'PAID', 'CLOSED'],
  CLOSING: ['PAID', 'CLOSED'],
  STUCK: ['PENDING', 'CLOSED'],
  PAID: ['FULFILLED', 'REFUNDING'],
  FULFILLED: ['REFUNDING'],
  REFUNDING: ['CLOSED'],
  CLOSED: [],
} as const satisfies Record<OrderState, readonly OrderState[]>;

/** Does an order in this state keep its units? Settled = nothing but a refund changes that any more. */
export const holdsUnits = (state: OrderState): boolean => state !== 'CLOSED';
/**
 * Were its units burned: paid for, and then not there? They never come back: Redis and the limits go on counting them, as Postgres does.
 * The same as SQL, of `orders` under the alias o.
 */
export const isBurned = (order: { state: OrderState; reason: ReleaseReason | null; paidAt: Date | null }): boolean =>
  order.state === 'CLOSED' && order.reason === 'out-of-inventory' && order.paidAt !== null;
export const isBurnedSql = `(o.state = 'CLOSED' AND o.reason = 'out-of-inventory' AND o.paid_at IS NOT NULL)`;
export const isSettled = (state: OrderState): boolean => isSold(state) || state === 'CLOSED';
/** States whose units are counted as sold (else as held), and as SQL's list of them. */
export const soldStates = ['PAID', 'FULFILLED', 'REFUNDING'] as const satisfies readonly OrderState[];
export const soldStatesSql = `(${soldStates.map((state) => `'${state}'`).join(', ')})`;
export const isSold = (state: OrderState): boolean => (soldStates as readonly OrderState[]).includes(state);

/**
 * The state that buyers see.
 * @param payBy null where the order never came to wait for payment: parked before it was judged, it still looks queued
 */
export function publicState(state: OrderState, payBy: Date | null): ReservationState {
  if (state === 'CLOSED') return 'RELEASED';
  if (isSold(state)) return state === 'FULFILLED' ? 'FULFILLED' : 'PAID';
  return state === 'STUCK' && payBy === null ? 'QUEUED' : 'ORDERED';
}
