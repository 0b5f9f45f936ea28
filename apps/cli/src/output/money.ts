import type { Money } from '@floodgate/contracts';

/** `12.50 GBP`: the currency's own number of minor digits, in figures that every script reads alike. */
export function money({ amount, currency }: Money): string {
  const digits = minorDigits(currency);
  return `${(amount / 10 ** digits).toFixed(digits)} ${currency}`;
}

function minorDigits(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2; // a code that ISO 4217 does not have
  }
}
