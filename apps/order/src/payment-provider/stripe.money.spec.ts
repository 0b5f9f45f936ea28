import { describe, expect, it } from '@jest/globals';
import { fromStripe, toStripe } from './stripe.money.js';

describe('money as Stripe counts it', () => {
  it.each([
    ['GBP', 199, 199], ['JPY', 500, 500], ['KRW', 1_000, 1_000], ['CLP', 990, 990], ['XOF', 655, 655], ['HUF', 50_000, 50_000], ['TWD', 80_000, 80_000],
    ['ISK', 700, 70_000], ['UGX', 4_000, 400_000], ['MGA', 400_000, 4_000], ['KWD', 1_250, 1_250], ['GBP', 0, 0],
  ])('%s: %d is %d there, and back', (currency, ours, theirs) => {
    expect(toStripe({ amount: ours, currency })).toEqual({ amount: theirs, currency: currency.toLowerCase() });
    expect(fromStripe(theirs, currency.toLowerCase())).toEqual({ amount: ours, currency });
  });

  it.each([['KWD', 1_255], ['BHD', 1], ['MGA', 150]])('%s %d cannot be taken exactly', (currency, amount) => {
    expect(toStripe({ amount, currency })).toBeNull();
  });
});
