import type { Money, OrderView, ReservationState, ReservationView } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import type { OrderRow } from './order.row.js';
import { publicState } from './order.transitions.js';

/** What the views show of an item besides what the order itself knows. `price` in minor units. */
export interface ItemFacts {
  skuId: string;
  title: string;
  price: number;
}

/** The order that a late payment has bought in the place of this one, and the one that this one was bought in the place of. */
export type Replacement = Pick<OrderView, 'replacedBy' | 'replaces'>;

/** When to ask again: a queued order is made within moments, a payment takes a person's time; what is final needs no asking. */
const pollAfterMs: Record<ReservationState, number> = { QUEUED: 500, ORDERED: 2_000, PAID: 2_000, FULFILLED: 0, RELEASED: 0 };

/** @param vouchers items of the sale whose orders end with their codes */
export function reservationView(order: OrderRow, vouchers: ReadonlySet<string>): ReservationView {
  const state = publicState(order.state, order.payBy);
  const queued = state === 'QUEUED';
  // PAID is the end for goods; an order that is owed codes or being refunded still has a way to go.
  const paidForGood = order.state === 'PAID' && !order.items.some(({ itemId }) => vouchers.has(itemId));
  const terminal = state === 'RELEASED' || paidForGood || order.state === 'FULFILLED';
  return {
    id: order.rid, saleId: order.saleId, items: order.items, state, terminal,
    reason: order.state === 'CLOSED' ? order.reason : null,
    orderId: queued ? null : order.rid, amount: queued ? null : amountOf(order), payBy: timeOrNull(order.payBy),
    number: order.number, ahead: queued ? null : 0, version: order.version, updatedAt: isoTime(order.updatedAt.getTime()),
    pollAfterMs: terminal ? 0 : pollAfterMs[state],
  };
}

/** @param facts of each item of the order's sale; an item that the sale never had (a refused reservation) is shown by its id */
export function orderView(order: OrderRow, facts: ReadonlyMap<string, ItemFacts>, replacement: Replacement = {}): OrderView {
  return {
    id: order.rid, reservationId: order.rid, saleId: order.saleId,
    items: order.items.map(({ itemId, quantity }) => {
      const { skuId, title, price } = facts.get(itemId) ?? { skuId: itemId, title: itemId, price: 0 };
      return { itemId, skuId, title, quantity, price: { amount: price, currency: order.currency } };
    }),
    amount: amountOf(order), state: publicState(order.state, order.payBy), reason: order.state === 'CLOSED' ? order.reason : null,
    payBy: timeOrNull(order.payBy), createdAt: isoTime(order.createdAt.getTime()), updatedAt: isoTime(order.updatedAt.getTime()),
    ...replacement,
  };
}

const amountOf = (order: OrderRow): Money => ({ amount: order.amount, currency: order.currency });
const timeOrNull = (time: Date | null): string | null => (time ? isoTime(time.getTime()) : null);
