import { describe, expect, it } from '@jest/globals';
import type { MovedMoney } from '../payment-provider/payment-provider.js';
import { differencesOf, type OurPayment } from './settlement.differences.js';

const ours = (changes: Partial<OurPayment> = {}): OurPayment => (
  { paymentId: 'p', orderId: 'o', amount: 250, currency: 'GBP', state: 'CAPTURED', pays: true, orderState: 'PAID', refund: null, ...changes });
const theirs = (changes: Partial<MovedMoney> = {}): MovedMoney => ({ paymentId: 'p', orderId: 'o', currency: 'GBP', captured: 250, refunded: 0, ...changes });
const refunded = { state: 'REFUNDED', orderState: 'CLOSED', refund: 'DONE' } as const;

describe('equal are', () => {
  it.each([
    ['a captured payment and its paid order', ours(), theirs()],
    ['one whose order is fulfilled', ours({ orderState: 'FULFILLED' }), theirs()],
    ['one that was given back, as asked', ours(refunded), theirs({ refunded: 250 })],
    ['a second payment given back, of an order that stays paid', ours({ pays: false, state: 'REFUNDED', refund: 'DONE' }), theirs({ refunded: 250 })],
    ['one that nobody paid', ours({ state: 'CLOSED', pays: false, orderState: 'CLOSED' }), theirs({ captured: 0 })],
    ['one that never reached the provider', ours({ state: 'STARTING', pays: false, orderState: 'PENDING' }), null],
    ['one of nobody, without money', null, theirs({ captured: 0 })],
    ['nothing', null, null],
  ])('%s', (_, here, there) => {
    expect(differencesOf(here, there)).toEqual([]);
  });
});

describe('different are', () => {
  it.each([
    ['money there and not here', null, theirs(), ['not-here']],
    ['money here and not there', ours(), null, ['not-there']],
    ['a refund here of what is not there', ours(refunded), null, ['not-there']],
    ['another order', ours(), theirs({ orderId: 'x' }), ['other-order']],
    ['captured there, open here', ours({ state: 'OPEN', pays: false, orderState: 'PENDING' }), theirs(), ['state', 'no-order']],
    ['captured here, open there', ours(), theirs({ captured: 0 }), ['state']],
    ['another amount', ours(), theirs({ captured: 251 }), ['amount']],
    ['another currency', ours(), theirs({ currency: 'EUR' }), ['amount']],
    ['a refund asked for and not given', ours({ refund: 'WAITING', orderState: 'REFUNDING' }), theirs(), ['refund-missing']],
    ['a refund done here and not given', ours(refunded), theirs(), ['refund-missing']],
    ['a refund given in part', ours(refunded), theirs({ refunded: 100 }), ['refund-missing']],
    ['a refund given twice', ours(refunded), theirs({ refunded: 500 }), ['refund-double']],
    ['a refund that nobody asked for', ours({ pays: false, orderState: 'CLOSED' }), theirs({ refunded: 250 }), ['refund-unasked']],
    ['a paid order whose money was given back', ours(), theirs({ refunded: 250 }), ['refund-unasked', 'paid-and-refunded']],
    ['a refund given that we do not know of', ours({ refund: 'WAITING', orderState: 'REFUNDING' }), theirs({ refunded: 250 }), ['state']],
    ['a refund that is done here and still waits', ours({ state: 'REFUNDED', orderState: 'CLOSED', refund: 'WAITING' }), theirs({ refunded: 250 }), ['state']],
    ['money that no order stands for', ours({ pays: false, orderState: 'CLOSED' }), theirs(), ['no-order']],
    ['money of an order that another payment paid', ours({ pays: false }), theirs(), ['no-order']],
  ])('%s', (_, here, there, kinds) => {
    expect(differencesOf(here, there)).toEqual(kinds);
  });
});
