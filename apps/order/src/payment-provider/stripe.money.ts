import type { Money } from '@floodgate/contracts';

/**
 * Stripe counts in the smallest unit of a currency, as we do (ISO 4217), with these exceptions of its own:
 * `hundredfold` has no smaller unit in ISO 4217 and two decimals at Stripe, `hundredth` the other way round,
 * and of `threeDecimals` the last digit must be 0.
 * https://docs.stripe.com/currencies#special-cases
 */
const hundredfold = new Set(['ISK', 'UGX']);
const hundredth = new Set(['MGA']);
const threeDecimals = new Set(['BHD', 'JOD', 'KWD', 'OMR', 'TND']);

/** The amount that Stripe wants for this money, or null where Stripe cannot take exactly this. */
export function toStripe({ amount, currency }: Money): { amount: number; currency: string } | null {
  const converted = hundredfold.has(currency) ? amount * 100 : hundredth.has(currency) ? amount / 100 : amount;
  if (!Number.isSafeInteger(converted) || (threeDecimals.has(currency) && converted % 10 !== 0)) return null;
  return { amount: converted, currency: currency.toLowerCase() };
}

export function fromStripe(amount: number, lowerCurrency: string): Money {
  const currency = lowerCurrency.toUpperCase();
  return { amount: hundredfold.has(currency) ? amount / 100 : hundredth.has(currency) ? amount * 100 : amount, currency };
}
