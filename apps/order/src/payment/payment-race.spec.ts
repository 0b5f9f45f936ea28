import { describe, expect, it } from '@jest/globals';
import { orderStates } from '../order/order.transitions.js';
import {
  eventOfType, judgedBefore, livePaymentStates, nextPaymentState, orderEvents, paymentEvents, paymentRace, paymentStates, raceActions, raceCells, raceStateOf, raceStates,
} from './payment-race.js';

describe('paymentRace', () => {
  it('decides every cell, and every action is somebody\'s', () => {
    expect(raceCells).toHaveLength(raceStates.length * (orderEvents.length + Object.keys(judgedBefore).length));
    expect(raceCells.filter(({ action }) => !(action in raceActions))).toEqual([]);
    expect(new Set(raceCells.map(({ action }) => action))).toEqual(new Set(Object.keys(raceActions)));
  });

  it('has a row for wherever an order can stand', () => {
    expect(raceStates).toEqual(Object.keys(paymentRace).toSorted((a, b) => raceStates.indexOf(a as never) - raceStates.indexOf(b as never)));
    expect(new Set(raceStates.map((state) => state.split(' ')[0]))).toEqual(new Set(orderStates));
    expect([raceStateOf('PAID', null), raceStateOf('CLOSING', 'payment-timeout'), raceStateOf('CLOSED', 'payment-timeout')]).toEqual(['PAID', 'CLOSING', 'CLOSED payment-timeout']);
  });

  it('never lets money pass: each capture makes a paid order, a refund, or a late payment', () => {
    const takes = Object.groupBy(raceStates, (state) => paymentRace[state].captured);
    expect(takes['mark-paid']).toEqual(['PENDING', 'CLOSING']);
    expect(takes.late).toEqual(['CLOSED payment-timeout', 'CLOSED payment-declined']);
    expect(Object.keys(takes).toSorted()).toEqual(['late', 'mark-paid', 'refund']);
  });

  it('takes no authorisation for money', () => {
    expect(raceStates.filter((state) => paymentRace[state].authorised !== 'keep')).toEqual([]);
  });

  it('releases only unpaid orders for a decline', () => {
    expect(raceStates.filter((state) => paymentRace[state].declined === 'close')).toEqual(['PENDING', 'CLOSING']);
  });
});

describe('paymentSteps', () => {
  it.each(paymentStates.map((state) => [state] as const))('%s hears of a capture once', (state) => {
    const counted = state !== 'CAPTURED' && state !== 'REFUNDED';
    expect(nextPaymentState(state, 'captured')).toBe(counted ? 'CAPTURED' : null);
    expect(nextPaymentState('CAPTURED', 'captured')).toBeNull();
  });

  it.each(paymentStates.map((state) => [state] as const))('%s declines, expires and is authorised only while it is live', (state) => {
    const live = (livePaymentStates as readonly string[]).includes(state);
    expect([nextPaymentState(state, 'declined'), nextPaymentState(state, 'expired'), nextPaymentState(state, 'authorised')]).toEqual(live ? ['DECLINED', 'EXPIRED', state] : [null, null, null]);
  });

  it('ends with the refund', () => {
    expect(paymentEvents.map((event) => nextPaymentState('REFUNDED', event))).toEqual(paymentEvents.map(() => null));
  });
});

describe('eventOfType', () => {
  it.each([
    ['payment.captured', 'captured'], ['payment.authorised', 'authorised'], ['payment.refunded', 'refunded'], ['payment.dreamt', null], ['captured', null], ['payment.', null],
    ['payment.toString', null],
  ])('%s is %s', (type, event) => {
    expect(eventOfType(type)).toBe(event);
  });
});
