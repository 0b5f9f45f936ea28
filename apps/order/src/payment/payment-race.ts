import type { OrderState } from '../order/order.transitions.js';

/** States of a payment row. STARTING: the provider may not know it yet. */
export const paymentStates = ['STARTING', 'OPEN', 'CAPTURED', 'DECLINED', 'EXPIRED', 'CLOSED', 'REFUNDED'] as const;
export type PaymentState = (typeof paymentStates)[number];
export const livePaymentStates = ['STARTING', 'OPEN'] as const satisfies readonly PaymentState[];

/** What a provider tells. */
export const paymentEvents = ['captured', 'declined', 'expired', 'refunded'] as const;
export type PaymentEvent = (typeof paymentEvents)[number];

/**
 * First the payment: its state × event → its next state. What is not here is old news (a repetition, or overtaken) and moves nothing.
 * Of money the provider has the last word: a capture counts even after it called the payment closed.
 */
export const paymentSteps = {
  STARTING: { captured: 'CAPTURED', declined: 'DECLINED', expired: 'EXPIRED', refunded: 'REFUNDED' },
  OPEN: { captured: 'CAPTURED', declined: 'DECLINED', expired: 'EXPIRED', refunded: 'REFUNDED' },
  CAPTURED: { refunded: 'REFUNDED' },
  DECLINED: { captured: 'CAPTURED', refunded: 'REFUNDED' },
  EXPIRED: { captured: 'CAPTURED', refunded: 'REFUNDED' },
  CLOSED: { captured: 'CAPTURED', refunded: 'REFUNDED' },
  REFUNDED: {},
} as const satisfies Record<PaymentState, Partial<Record<PaymentEvent, PaymentState>>>;

/** What a payment that moved means for its order. `extra-refunded`: the money given back was not what the order stands for. */
export const orderEvents = ['captured', 'declined', 'expired', 'refunded', 'extra-refunded'] as const;
export type OrderEvent = (typeof orderEvents)[number];

/**
 * - `mark-paid`: the point of no return; this payment is what the order stands for.
 * - `refund`: the order cannot take this money; give it back, once.
 * - `close`: release the order (`payment-declined`, or what it is being closed for already).
 * - `finish-refund`: the money is back, so the order ends.
 * - `report`: nobody here asked for that; people must look.
 * - `keep`: the order goes on as it is. An expired payment leaves its order to the sweeper.
 */
export const raceActions = ['mark-paid', 'refund', 'close', 'finish-refund', 'report', 'keep'] as const;
export type RaceAction = (typeof raceActions)[number];

/** Then the order: its state × event → action. Every cell is decided here, and nowhere else. */
export const paymentRace = {
  //            captured                declined           expired          refunded                   extra-refunded
  PENDING:   { captured: 'mark-paid', declined: 'close', expired: 'keep', refunded: 'keep',          'extra-refunded': 'keep' },
  CLOSING:   { captured: 'mark-paid', declined: 'close', expired: 'keep', refunded: 'keep',          'extra-refunded': 'keep' },
  STUCK:     { captured: 'refund',    declined: 'keep',  expired: 'keep', refunded: 'keep',          'extra-refunded': 'keep' },
  PAID:      { captured: 'refund',    declined: 'keep',  expired: 'keep', refunded: 'report',        'extra-refunded': 'keep' },
  FULFILLED: { captured: 'refund',    declined: 'keep',  expired: 'keep', refunded: 'report',        'extra-refunded': 'keep' },
  REFUNDING: { captured: 'refund',    declined: 'keep',  expired: 'keep', refunded: 'finish-refund', 'extra-refunded': 'keep' },
  CLOSED:    { captured: 'refund',    declined: 'keep',  expired: 'keep', refunded: 'keep',          'extra-refunded': 'keep' },
} as const satisfies Record<OrderState, Record<OrderEvent, RaceAction>>;

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
