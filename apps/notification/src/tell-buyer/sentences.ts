import type { OrderNotice, ReleaseReason } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import type { BuyerMessage } from '../channels/channel.js';

/** Why units went back, in words for the buyer: a row for each reason there is, or this does not compile. */
export const becauseOf = {
  'payment-timeout': 'the time to pay has passed',
  'payment-declined': 'your payment was declined',
  'cancelled-by-buyer': 'you cancelled it',
  'out-of-inventory': 'there was less stock than was offered; what you have paid is given back',
  'order-rejected': 'it did not fit into what was left or into the limits of the sale',
  'sale-withdrawn': 'the sale was withdrawn; what you have paid is given back',
} as const satisfies Record<ReleaseReason, string>;

/** What a buyer is told of each kind of news. */
export const sentences = {
  created: (order) => (order.payByMs === null ? 'You have it.' : `You have it, pay by ${isoTime(order.payByMs)}: ${price(order)}.`),
  paid: (order) => `Paid: we have received ${price(order)}.`,
  fulfilled: () => 'It is yours: what you paid for has been handed over.',
  replaced: (order) => `Your payment came after its time, but there was still enough: it has bought you a new order, ${order.replacedBy ?? 'which you find in your list'}.`,
  returned: (order) => `Your payment of ${price(order)} came too late or twice, and is given back.`,
  closed: (order) => (order.reason === null ? 'Released.' : `Released, because ${becauseOf[order.reason]}.`),
} as const satisfies Record<BuyerMessage['kind'], (order: OrderNotice & { replacedBy?: string }) => string>;

const digitsOfCurrency = new Map<string, number>();

/** Minor units written as the currency is: 199 GBP is `1.99 GBP`, 199 JPY is `199 JPY`. */
export function price({ amount, currency }: Pick<OrderNotice, 'amount' | 'currency'>): string {
  const digits = digitsOf(currency);
  const padded = String(amount).padStart(digits + 1, '0');
  return `${digits === 0 ? padded : `${padded.slice(0, -digits)}.${padded.slice(-digits)}`} ${currency}`;
}

/** Kept, since asking costs more than writing the whole sentence. */
function digitsOf(currency: string): number {
  const known = digitsOfCurrency.get(currency);
  if (known !== undefined) return known;
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  digitsOfCurrency.set(currency, digits);
  return digits;
}
