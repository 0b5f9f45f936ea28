import { describe, expect, it } from '@jest/globals';

import { readArguments } from './payments.command.js';
import { exitCodeOf, formatSettlement, type Settlement } from './settlement-table.js';

const settlement: Settlement = {
  id: 'set-1', provider: 'sandbox', day: '2026-11-27', state: 'different', problem: null, payments: { there: 3, here: 2 }, counts: { 'not-here': 1 },
  differences: [{ kind: 'not-here', paymentId: 'pay-1', orderId: 'S.1', here: 'no such payment', there: '250 GBP captured, 0 refunded' }], nextCursor: null,
};

describe('payments reconcile', () => {
  it.each([
    [['reconcile'], { provider: 'sandbox', day: null, json: false }],
    [['reconcile', '--provider', 'stripe', '--day', '2026-11-27', '--json'], { provider: 'stripe', day: '2026-11-27', json: true }],
    [['reconcile', '--provider=stripe', '--day=2024-02-29'], { provider: 'stripe', day: '2024-02-29', json: false }],
  ])('understands %j', (args, wanted) => {
    expect(readArguments(args)).toEqual(wanted);
  });

  it.each([[[]], [['compare']], [['reconcile', '--day']], [['reconcile', '--day', '2026-02-30']], [['reconcile', '--day', 'today']], [['reconcile', '--provider=']], [['reconcile', 'sandbox']]])('does not understand %j', (args) => {
    expect(() => readArguments(args)).toThrow(/npm run payments -- reconcile/);
  });

  it.each([['equal', 0], ['different', 1], ['unknown', 2], ['running', 2]] as const)('ends with %s as %d', (state, code) => {
    expect(exitCodeOf({ state })).toBe(code);
  });

  it('ends with 2 where nobody answered', () => {
    expect(exitCodeOf(null)).toBe(2);
  });

  it('shows every difference, and the verdict last', () => {
    expect(formatSettlement(settlement)).toEqual([
      'sandbox, 2026-11-27: 3 payments in the provider\'s book, 2 in ours (comparison set-1)',
      'not-here: payment pay-1, order S.1: here no such payment; there 250 GBP captured, 0 refunded',
      'not-here 1',
      'verdict: different',
    ]);
    expect(formatSettlement({ ...settlement, state: 'unknown', problem: 'away', counts: {}, differences: [] }).at(-1)).toBe('verdict: unknown, away');
  });
});
