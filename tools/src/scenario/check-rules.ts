import type { View } from '@floodgate/contracts';

import type { Evidence, Fault, FaultKind } from './evidence.js';
import { isRefusal, isUncertain, outcomeOf, type Purchase } from './history.js';

export type Rule = (evidence: Evidence) => Iterable<Fault>;
const fault = (kind: FaultKind, subject: string, what: string, count = 1): Fault => ({ kind, subject, what, count });
const isPaid = (order: View.OrderView): boolean => order.state === 'PAID' || order.state === 'FULFILLED';
/** The one way out of being paid that an operator, and not a fault, opens. */
const isWithdrawn = (order: View.OrderView, withdrawn: boolean | undefined): boolean => withdrawn === true && order.reason === 'sale-withdrawn';

/** One rule per promise, in the order in which a purchase meets them. */
export const rules: readonly Rule[] = [
  aKeyKeepsItsReservation, aYesStaysAYes, aReservationHasOneKey, soldOutMeansTooFew, everyYesHasItsOrder, noYesIsTakenBack,
  anOrderIsWhatWasAsked, everyOrderWasPromised, quotasHold, limitsHold, paidIsCaptured, shownIsRecorded,
];

export function* aKeyKeepsItsReservation({ attempts }: Evidence): Iterable<Fault> {
  for (const { key, exchanges } of attempts.values()) {
    const rids = new Set(exchanges.flatMap((exchange) => exchange.rid ?? []));
    const numbers = new Set(exchanges.flatMap((exchange) => exchange.number ?? []));
    if (rids.size > 1) yield fault('duplicated', key, `key ${key} was given reservations ${[...rids].join(' and ')}`, rids.size - 1);
    else if (numbers.size > 1) yield fault('duplicated', key, `key ${key} was admitted as numbers ${[...numbers].join(' and ')}`);
  }
}

export function* aYesStaysAYes({ attempts }: Evidence): Iterable<Fault> {
  for (const { key, exchanges } of attempts.values()) {
    const yesAtMs = Math.min(...exchanges.filter((exchange) => exchange.word === 'ACCEPTED').map((exchange) => exchange.answeredAtMs));
    // Who asks without a token is told so whatever the key holds.
    const no = exchanges.find((exchange) => isRefusal(exchange) && exchange.sentAtMs >= yesAtMs && !(exchange.tokenless && exchange.word === 'ENTRY_TOKEN_INVALID'));
    if (no) yield fault('lost', key, `key ${key} was told ${no.word} after its 202`);
  }
}

export function* aReservationHasOneKey({ attempts }: Evidence): Iterable<Fault> {
  const owner = new Map<string | number, string>();
  for (const { key, exchanges } of attempts.values()) {
    for (const { rid, number, word } of exchanges) {
      if (word !== 'ACCEPTED') continue;
      for (const id of [rid, number]) {
        if (id === undefined) continue;
        const other = owner.get(id);
        if (other !== undefined && other !== key) yield fault('duplicated', key, `keys ${other} and ${key} were both given ${id}`);
        owner.set(id, key);
      }
    }
  }
}

export function* soldOutMeansTooFew({ attempts }: Evidence): Iterable<Fault> {
  for (const { key, exchanges, items } of attempts.values()) {
    for (const { word, itemId, remaining } of exchanges) {
      // An item that nobody asked for stands for all of a sale of which nothing is left.
      const asked = items.find((item) => item.itemId === itemId)?.quantity ?? 1;
      if (word === 'SOLD_OUT' && (remaining ?? 0) >= asked) yield fault('unexplained', key, `key ${key} was told SOLD_OUT for ${asked} of ${itemId ?? 'nothing'} with ${remaining ?? 0} left`);
    }
  }
}

export function* everyYesHasItsOrder({ purchases, orders }: Evidence): Iterable<Fault> {
  const listed = new Map<string, number>();
  for (const order of orders) listed.set(order.reservationId, (listed.get(order.reservationId) ?? 0) + 1);
  for (const rid of purchases.keys()) {
    if (!listed.has(rid)) yield fault('lost', rid, `reservation ${rid} was answered 202 and has no order`);
  }
  for (const [rid, count] of listed) {
    if (count > 1) yield fault('duplicated', rid, `reservation ${rid} has ${count} orders`, count - 1);
  }
}

export function* noYesIsTakenBack({ purchases, orders, withdrawn }: Evidence): Iterable<Fault> {
  for (const order of orders) {
    const purchase = purchases.get(order.reservationId);
    if (!purchase) continue;
    if (order.reason === 'order-rejected' || order.reason === 'out-of-inventory') yield fault('lost', purchase.rid, `reservation ${purchase.rid} was answered 202 and taken back: ${order.reason}`);
    const wasPaid = purchase.shown.some((shown) => shown.state === 'PAID' || shown.state === 'FULFILLED');
    if (wasPaid && !isPaid(order) && !isWithdrawn(order, withdrawn)) yield fault('lost', purchase.rid, `reservation ${purchase.rid} was shown as paid and is ${order.state} ${order.reason ?? ''}`);
  }
}

export function* anOrderIsWhatWasAsked({ items, purchases, orders }: Evidence): Iterable<Fault> {
  const price = new Map(items.map((item) => [item.itemId, item.price]));
  for (const order of orders) {
    const purchase = purchases.get(order.reservationId);
    if (!purchase) continue;
    const asked = bag(purchase.items);
    const amount = purchase.items.reduce((sum, item) => sum + item.quantity * (price.get(item.itemId) ?? 0), 0);
    if (bag(order.items) !== asked) yield fault('unexplained', purchase.rid, `order ${purchase.rid} is for ${bag(order.items)}, asked was ${asked}`);
    else if (order.amount.amount !== amount) yield fault('unexplained', purchase.rid, `order ${purchase.rid} costs ${order.amount.amount} and not ${amount}`);
  }
}

/** Nobody who was refused holds units; an order that no buyer was told of needs an answer that got lost. */
export function* everyOrderWasPromised({ attempts, purchases, orders, boughtAgain }: Evidence): Iterable<Fault> {
  const hinted = new Map<string, 'refused' | 'unknown'>();
  let lostForGood = 0;
  let lostThenRefused = 0;
  for (const attempt of attempts.values()) {
    const outcome = outcomeOf(attempt);
    if (outcome.word === 'accepted') continue;
    const rid = attempt.exchanges.find((exchange) => exchange.rid !== undefined)?.rid;
    if (rid !== undefined) hinted.set(rid, outcome.word);
    else if (outcome.word === 'unknown') lostForGood++;
    else if (attempt.exchanges.some(isUncertain)) lostThenRefused++;
  }
  for (const order of orders) {
    const rid = order.reservationId;
    if (purchases.has(rid) || hinted.get(rid) === 'unknown') continue;
    if (order.replaces !== undefined && orders.some((one) => one.replacedBy === rid && one.reservationId === order.replaces)) continue; // Bought by late money.
    const released = order.state === 'RELEASED';
    if (released && boughtAgain?.has(rid)) continue;
    if (released && hinted.has(rid)) continue;
    if (!hinted.has(rid) && released && lostThenRefused-- > 0) continue;
    if (!hinted.has(rid) && lostForGood-- > 0) continue;
    yield fault('unexplained', rid, hinted.has(rid) ? `order ${rid} is ${order.state}, and its buyer was refused` : `order ${rid} is ${order.state}, and nobody was told of it`);
  }
}

export function* quotasHold({ items, orders, audit }: Evidence): Iterable<Fault> {
  const sold = new Map<string, number>();
  for (const order of orders.filter(isPaid)) for (const { itemId, quantity } of order.items) sold.set(itemId, (sold.get(itemId) ?? 0) + quantity);
  const audited = new Map(audit.items.map((item) => [item.itemId, item]));
  for (const { itemId, quota } of items) {
    const units = sold.get(itemId) ?? 0;
    const record = audited.get(itemId);
    if (units > quota) yield fault('oversold', itemId, `item ${itemId}: ${units} sold of ${quota}`, units - quota);
    if (!record) yield fault('unexplained', itemId, `item ${itemId} is not in the audit`);
    else if (record.quota !== quota) yield fault('unexplained', itemId, `item ${itemId}: the audit has a quota of ${record.quota}, offered were ${quota}`);
    else if (record.sold !== units) yield fault('unexplained', itemId, `item ${itemId}: the audit has ${record.sold} sold, the orders ${units}`);
    else if (record.available + record.held + record.sold + record.burned !== quota) yield fault('unexplained', itemId, `item ${itemId}: ${record.available} available, ${record.held} held, ${record.sold} sold and ${record.burned} burned are not ${quota}`);
  }
}

export function* limitsHold({ items, perAccount, purchases, orders }: Evidence): Iterable<Fault> {
  const limits = new Map(items.map((item) => [item.itemId, item.perAccount]));
  const units = new Map<string, { count: number; limit: number | null; what: string }>();
  const add = (subject: string, count: number, limit: number | null, what: string): void => {
    const known = units.get(subject);
    units.set(subject, { count: (known?.count ?? 0) + count, limit, what });
  };
  for (const order of orders.filter(isPaid)) {
    const buyer = purchases.get(order.reservationId)?.buyer;
    if (buyer === undefined) continue;
    for (const { itemId, quantity } of order.items) {
      add(`${buyer}|${itemId}`, quantity, limits.get(itemId) ?? null, `of item ${itemId}`);
      add(buyer, quantity, perAccount, 'of the sale');
    }
  }
  for (const [subject, { count, limit, what }] of units) {
    if (limit !== null && count > limit) yield fault('oversold', subject, `${subject.split('|')[0]} has ${count} units ${what}, the limit is ${limit}`, count - limit);
  }
}

/** A payment whose opening had no answer may be open all the same, and a provider may take its money though it was told to close it. */
const mayBePaid: ReadonlySet<Purchase['payment']> = new Set(['captured', 'clicked', 'unanswered']);
const mayBeTaken: ReadonlySet<Purchase['payment']> = new Set([...mayBePaid, 'opened', 'declined', 'turned-away']);

export function* paidIsCaptured({ purchases, orders, audit, waywardProvider }: Evidence): Iterable<Fault> {
  for (const order of orders) {
    const purchase = purchases.get(order.reservationId);
    if (!purchase || !isPaid(order)) continue;
    if (!(waywardProvider === true ? mayBeTaken : mayBePaid).has(purchase.payment)) yield fault('unexplained', purchase.rid, `order ${purchase.rid} is paid, and its buyer's payment is: ${purchase.payment}`);
    else if (purchase.cancelled) yield fault('unexplained', purchase.rid, `order ${purchase.rid} is paid after its cancellation was taken`);
  }
  const paid = orders.filter(isPaid).length;
  const kept = audit.payments.captured - audit.payments.refunded;
  if (kept !== paid) yield fault('unexplained', 'payments', `${paid} orders are paid, and the provider keeps ${kept} captures`, Math.abs(kept - paid));
}

/** What a buyer saw last is how it stayed. */
export function* shownIsRecorded({ purchases, orders, withdrawn }: Evidence): Iterable<Fault> {
  for (const order of orders) {
    const last = purchases.get(order.reservationId)?.shown.at(-1);
    if (last?.terminal && !isWithdrawn(order, withdrawn) && (last.state !== order.state || last.reason !== order.reason)) {
      yield fault('unexplained', order.reservationId, `reservation ${order.reservationId} ended as ${last.state} ${last.reason ?? ''} for its buyer, and its order is ${order.state} ${order.reason ?? ''}`);
    }
  }
}

const bag = (items: readonly { itemId: string; quantity: number }[]): string => items.map(({ itemId, quantity }) => `${quantity} × ${itemId}`).toSorted().join(', ');
