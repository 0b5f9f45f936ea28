import { describe, expect, it } from '@jest/globals';
import { dueAction, nextState, noticeOf, paymentStates, transitions, type PaymentAction, type PaymentState } from './payment.transitions.js';

const actions: PaymentAction[] = ['capture', 'decline', 'expire', 'close', 'refund', 'capture-late'];
const cells = paymentStates.flatMap((state) => actions.map((action) => [state, action] as const));

describe('transitions', () => {
  it.each(cells)('%s, asked to %s, goes where the table says or nowhere', (state, action) => {
    const row: Partial<Record<PaymentAction, PaymentState>> = transitions[state];
    expect(nextState(state, action)).toBe(row[action] ?? null);
  });

  it('captures only what is open, and refunds only what was captured', () => {
    expect(cells.filter(([state, action]) => nextState(state, action) === 'captured')).toEqual([['open', 'capture'], ['closed', 'capture-late']]);
    expect(cells.filter(([state, action]) => nextState(state, action) === 'refunded')).toEqual([['captured', 'refund']]);
  });

  it('tells of every state that somebody else than the shop brought about', () => {
    expect(Object.values(noticeOf).filter(Boolean)).toEqual(['payment.captured', 'payment.declined', 'payment.expired', 'payment.refunded']);
  });
});

describe('dueAction', () => {
  const open = { state: 'open' as const, outcome: null, settleAtMs: null, expiresAtMs: 100, lateCaptureAtMs: null };

  it.each([
    ['nothing before the expiry', open, 99, null],
    ['the expiry, to the millisecond', open, 100, { action: 'expire', atMs: 100 }],
    ['a decision that is due', { ...open, outcome: 'capture' as const, settleAtMs: 50 }, 50, { action: 'capture', atMs: 50 }],
    ['no decision before its time', { ...open, outcome: 'decline' as const, settleAtMs: 50 }, 49, null],
    ['the decision although the expiry has passed too', { ...open, outcome: 'capture' as const, settleAtMs: 50 }, 500, { action: 'capture', atMs: 50 }],
    ['the expiry before a decision delayed beyond it', { ...open, outcome: 'capture' as const, settleAtMs: 150 }, 200, { action: 'expire', atMs: 100 }],
    ['the expiry for a decision due at the same moment', { ...open, outcome: 'capture' as const, settleAtMs: 100 }, 100, { action: 'expire', atMs: 100 }],
    ['a late capture of what was closed', { ...open, state: 'closed' as const, lateCaptureAtMs: 300 }, 300, { action: 'capture-late', atMs: 300 }],
    ['no late capture before its time', { ...open, state: 'closed' as const, lateCaptureAtMs: 300 }, 299, null],
    ['nothing once it is settled', { ...open, state: 'closed' as const }, 500, null],
  ])('is %s', (_, payment, nowMs, due) => {
    expect(dueAction(payment, nowMs)).toEqual(due);
  });
});
