import { releaseReasons, type ReleaseReason } from '@floodgate/contracts';
import { orderStates, type OrderState } from '../order/order.transitions.js';

/** States of a payment row. STARTING: the provider may not know it yet. */
export const paymentStates = ['STARTING', 'OPEN', 'CAPTURED', 'DECLINED', 'EXPIRED', 'CLOSED', 'REFUNDED'] as const;
export type PaymentState = (typeof paymentStates)[number];
export const livePaymentStates = ['STARTING', 'OPEN'] as const satisfies readonly PaymentState[];

/** What a provider tells of a payment. `authorised`: the money is reserved for us and not ours. */
export const paymentEvents = ['captured', 'authorised', 'declined', 'expired', 'refunded'] as const;
export type PaymentEvent = (typeof paymentEvents)[number];

/**
 * First the payment: its state × event → its next state. What is not here is old news (overtaken by what was told before) and moves nothing.
 * Of money the provider has the last word: a capture counts even after it called the payment closed. An authorised payment stays live:
 * it is asked for like any other, and closing it voids the authorisation.
 */
export const paymentSteps = {
  STARTING: { captured: 'CAPTURED', authorised: 'STARTING', declined: 'DECLINED', expired: 'EXPIRED', refunded: 'REFUNDED' },
  OPEN: { captured: 'CAPTURED', authorised: 'OPEN', declined: 'DECLINED', expired: 'EXPIRED', refunded: 'REFUNDED' },
  CAPTURED: { refunded: 'REFUNDED' },
  DECLINED: { captured: 'CAPTURED', refunded: 'REFUNDED' },
  EXPIRED: { captured: 'CAPTURED', refunded: 'REFUNDED' },
  CLOSED: { captured: 'CAPTURED', refunded: 'REFUNDED' },
  REFUNDED: {},
} as const satisfies Record<PaymentState, Partial<Record<PaymentEvent, PaymentState>>>;

/** What is done about a message. In the order in which one transaction does them. */
export const raceActions = {
  'mark-paid': 'the order is paid by this payment: the point of no return. Where the sale was withdrawn meanwhile, it is refunded at once',
  refund: 'the order cannot take this money: it is given back, once, and the buyer is told',
  late: 'the time for this money is over: by the sale\'s `latePayment` it is a `refund`, or it shall `reacquire` the units for a new, linked order',
  close: 'the order is released: `payment-declined`, or what it is being closed for already',
  'finish-refund': 'the money is back, so the order ends and its units return',
  report: 'nobody here asked for that, or it cannot be true: kept, counted, logged; people must look',
  keep: 'the payment may have moved, the order goes on as it is. An expired payment leaves its order to the sweeper',
  ignore: 'all of it is known: nothing moves',
  refuse: 'whoever sent it is told so; nothing is kept',
} as const;
export type RaceAction = keyof typeof raceActions;

/**
 * What a message can turn out to be before the order is looked at, in the order in which it is found out: the answer is the same whatever
 * the order's state. `status`: what the provider is answered.
 */
export const judgedBefore = {
  'bad-signature':   { action: 'refuse', status: 401, when: 'the signature is missing, forged, or more than 300 s old' },
  malformed:         { action: 'refuse', status: 400, when: 'the body is no notice' },
  repeated:          { action: 'ignore', status: 200, when: 'this event was judged before' },
  altered:           { action: 'report', status: 200, when: 'this event was judged before, with another body' },
  'unknown-payment': { action: 'report', status: 200, when: 'no such payment, or another provider\'s' },
  'unknown-type':    { action: 'report', status: 200, when: 'an event that we have no name for' },
  'unknown-order':   { action: 'report', status: 200, when: 'the payment is not this order\'s' },
  'wrong-amount':    { action: 'report', status: 200, when: 'another amount or currency than was asked for' },
  'old-news':        { action: 'ignore', status: 200, when: 'the payment is past that' },
} as const satisfies Record<string, { action: RaceAction; status: 200 | 400 | 401; when: string }>;
export type JudgedBefore = keyof typeof judgedBefore;

/**
 * What a payment that moved means for its order. `refunded`: it is the payment that the order stands for; `extra-refunded`: any other.
 */
export const orderEvents = ['captured', 'authorised', 'declined', 'expired', 'refunded', 'extra-refunded'] as const;
export type OrderEvent = (typeof orderEvents)[number];

/** Where an order can stand when money comes: its state, and why it was closed, since that decides whether money is late or unwanted. */
export type RaceState = Exclude<OrderState, 'CLOSED'> | `CLOSED ${ReleaseReason}`;
export const raceStates: readonly RaceState[] = orderStates.flatMap((state): RaceState[] =>
  (state === 'CLOSED' ? releaseReasons.map((reason): RaceState => `CLOSED ${reason}`) : [state]));

/** Then the order: its state × event → action. Every cell is decided here, and nowhere else. docs/payment-race.md is made of it. */
export const paymentRace = {
  //                            captured                authorised          declined           expired          refunded                   extra-refunded
  PENDING:                    { captured: 'mark-paid', authorised: 'keep', declined: 'close', expired: 'keep', refunded: 'report',        'extra-refunded': 'keep' },
  CLOSING:                    { captured: 'mark-paid', authorised: 'keep', declined: 'close', expired: 'keep', refunded: 'report',        'extra-refunded': 'keep' },
  STUCK:                      { captured: 'refund',    authorised: 'keep', declined: 'keep',  expired: 'keep', refunded: 'report',        'extra-refunded': 'keep' },
  PAID:                       { captured: 'refund',    authorised: 'keep', declined: 'keep',  expired: 'keep', refunded: 'report',        'extra-refunded': 'keep' },
  FULFILLED:                  { captured: 'refund',    authorised: 'keep', declined: 'keep',  expired: 'keep', refunded: 'report',        'extra-refunded': 'keep' },
  REFUNDING:                  { captured: 'refund',    authorised: 'keep', declined: 'keep',  expired: 'keep', refunded: 'finish-refund', 'extra-refunded': 'keep' },
  'CLOSED payment-timeout':   { captured: 'late',      authorised: 'keep', declined: 'keep',  expired: 'keep', refunded: 'keep',          'extra-refunded': 'keep' },
  'CLOSED payment-declined':  { captured: 'late',      authorised: 'keep', declined: 'keep',  expired: 'keep', refunded: 'keep',          'extra-refunded': 'keep' },
  'CLOSED cancelled-by-buyer': { captured: 'refund',   authorised: 'keep', declined: 'keep',  expired: 'keep', refunded: 'keep',          'extra-refunded': 'keep' },
  'CLOSED out-of-inventory':  { captured: 'refund',    authorised: 'keep', declined: 'keep',  expired: 'keep', refunded: 'keep',          'extra-refunded': 'keep' },
  'CLOSED order-rejected':    { captured: 'refund',    authorised: 'keep', declined: 'keep',  expired: 'keep', refunded: 'keep',          'extra-refunded': 'keep' },
  'CLOSED sale-withdrawn':    { captured: 'refund',    authorised: 'keep', declined: 'keep',  expired: 'keep', refunded: 'keep',          'extra-refunded': 'keep' },
} as const satisfies Record<RaceState, Record<OrderEvent, RaceAction>>;

/** One cell, those of {@link judgedBefore} included: what a message of this kind does to an order that stands there. */
export interface RaceCell {
  state: RaceState;
  kind: JudgedBefore | OrderEvent;
  action: RaceAction;
}
export const raceCells: readonly RaceCell[] = raceStates.flatMap((state) => [
  ...(Object.keys(judgedBefore) as JudgedBefore[]).map((kind): RaceCell => ({ state, kind, action: judgedBefore[kind].action })),
  ...orderEvents.map((kind): RaceCell => ({ state, kind, action: paymentRace[state][kind] })),
]);

/** Where an order of this state and reason stands in the table. A closed row always has a reason. */
export function raceStateOf(state: OrderState, reason: ReleaseReason | null): RaceState {
  return state === 'CLOSED' ? `CLOSED ${reason ?? 'order-rejected'}` : state;
}

/** The payment's next state, or null if the event is old news. */
export function nextPaymentState(state: PaymentState, event: PaymentEvent): PaymentState | null {
  const row: Partial<Record<PaymentEvent, PaymentState>> = paymentSteps[state];
  return row[event] ?? null;
}

/** The event that a provider's type names, or null if we do not know it. */
export function eventOfType(type: string): PaymentEvent | null {
  const name = /^payment\.([a-z]+)$/.exec(type)?.[1];
  return paymentEvents.find((event) => event === name) ?? null;
}
