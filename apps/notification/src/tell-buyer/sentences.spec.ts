import { describe, expect, it } from '@jest/globals';
import { releaseReasons, type OrderNotice } from '@floodgate/contracts';
import { price, sentences } from './sentences.js';

const order: OrderNotice = {
  rid: 'S1.abc', accountId: 'ann', version: 1, state: 'ORDERED', reason: null, amount: 1_234, currency: 'GBP',
  payByMs: Date.UTC(2026, 10, 27, 10), updatedAtMs: 0, items: [{ itemId: 'S1-1', quantity: 1 }], number: 1,
};

describe('what buyers are told', () => {
  it('names the sum and the time to pay by', () => {
    expect(sentences.created(order)).toBe('You have it, pay by 2026-11-27T10:00:00.000Z: 12.34 GBP.');
  });

  it('confirms the payment', () => {
    expect(sentences.paid(order)).toBe('Paid: we have received 12.34 GBP.');
  });

  it.each(releaseReasons)('says why it was released: %s', (reason) => {
    expect(sentences.closed({ ...order, reason })).toMatch(/^Released, because [a-z].+\.$/);
  });

  it('has a sentence of its own for each reason', () => {
    expect(new Set(releaseReasons.map((reason) => sentences.closed({ ...order, reason }))).size).toBe(releaseReasons.length);
  });

  it.each([[5, 'GBP', '0.05 GBP'], [0, 'EUR', '0.00 EUR'], [199, 'JPY', '199 JPY'], [1_234, 'KWD', '1.234 KWD']])('writes %d minor units of %s', (amount, currency, written) => {
    expect(price({ amount, currency })).toBe(written);
  });
});
