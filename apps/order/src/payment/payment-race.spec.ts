import { describe, expect, it } from '@jest/globals';
import { orderStates } from '../order/order.transitions.js';
import { eventOfType, livePaymentStates, nextPaymentState, orderEvents, paymentEvents, paymentRace, paymentStates, raceActions } from './payment-race.js';

describe('paymentRace', () => {
  it('decides every cell, and every action is somebody\'s', () => {
    const cells = orderStates.flatMap((state) => orderEvents.map((event) => paymentRace[state][event]));
    expect(cells).toHaveLength(orderStates.length * orderEvents.length);
    expect(new Set(cells)).toEqual(new Set(raceActions));
  });

  it('never lets money pass: each capture makes a paid order or a refund', () => {
    expect(orderStates.map((state) => paymentRace[state].captured)).toEqual(['mark-paid', 'mark-paid', 'refund', 'refund', 'refund', 'refund', 'refund']);
  });

  it('releases only unpaid orders for a decline', () => {
    expect(orderStates.filter((state) => paymentRace[state].declined === 'close')).toEqual(['PENDING', 'CLOSING']);
  });
});

describe('paymentSteps', () => {
  it.each(paymentStates.map((state) => [state] as const))('%s hears of a capture once', (state) => {
    const counted = state !== 'CAPTURED' && state !== 'REFUNDED';
    expect(nextPaymentState(state, 'captured')).toBe(counted ? 'CAPTURED' : null);
    expect(nextPaymentState('CAPTURED', 'captured')).toBeNull();
  });

  it.each(paymentStates.map((state) => [state] as const))('%s declines and expires only while it is live', (state) => {
    const live = (livePaymentStates as readonly string[]).includes(state);
    expect([nextPaymentState(state, 'declined'), nextPaymentState(state, 'expired')]).toEqual(live ? ['DECLINED', 'EXPIRED'] : [null, null]);
  });

  it('ends with the refund', () => {
    expect(paymentEvents.map((event) => nextPaymentState('REFUNDED', event))).toEqual([null, null, null, null]);
  });
});

describe('eventOfType', () => {
  it.each([['payment.captured', 'captured'], ['payment.refunded', 'refunded'], ['payment.dreamt', null], ['captured', null], ['payment.', null], ['payment.toString', null]])('%s is %s', (type, event) => {
    expect(eventOfType(type)).toBe(event);
  });
});
