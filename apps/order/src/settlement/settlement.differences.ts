import type { SettlementDifferenceKind } from '@floodgate/contracts';
import { isSold, type OrderState } from '../order/order.transitions.js';
import type { PaymentState } from '../payment/payment-race.js';
import type { MovedMoney } from '../payment-provider/payment-provider.js';

/** One payment as our own rows have it. `amount` in minor units of `currency`. */
export interface OurPayment {
  paymentId: string;
  /** As the provider knows it. */
  orderId: string;
  amount: number;
  currency: string;
  state: PaymentState;
  pays: boolean;
  orderState: OrderState;
  /** Of its refund, or null where none was asked for. */
  refund: 'WAITING' | 'DONE' | null;
}

const tookMoney = (state: PaymentState): boolean => state === 'CAPTURED' || state === 'REFUNDED';

/** Where one payment differs between our rows (null: we have no such payment) and the provider's book (null: it has none). */
export function differencesOf(ours: OurPayment | null, theirs: MovedMoney | null): SettlementDifferenceKind[] {
  if (!ours) return theirs && theirs.captured + theirs.refunded > 0 ? ['not-here'] : [];
  if (!theirs) return tookMoney(ours.state) ? ['not-there'] : [];
  if (theirs.orderId !== ours.orderId) return ['other-order'];
  const found: SettlementDifferenceKind[] = [];
  if ((theirs.captured > 0) !== tookMoney(ours.state)) found.push('state');
  if (theirs.captured > 0 && (theirs.captured !== ours.amount || theirs.currency !== ours.currency)) found.push('amount');
  found.push(...refundDifferences(ours, theirs));
  const standing = ours.pays && isSold(ours.orderState);
  if (theirs.captured > 0 && theirs.refunded === 0 && ours.refund === null && !standing) found.push('no-order');
  if (theirs.refunded > 0 && ours.pays && (ours.orderState === 'PAID' || ours.orderState === 'FULFILLED')) found.push('paid-and-refunded');
  return found;
}

/** Money given back must have been asked for, once and whole, and what was asked for must have been given. */
function refundDifferences({ state, refund }: OurPayment, { captured, refunded }: MovedMoney): SettlementDifferenceKind[] {
  if (refunded > captured) return ['refund-double'];
  const asked = refund !== null;
  if (refunded > 0 && !asked) return ['refund-unasked'];
  if (asked && refunded < captured) return ['refund-missing'];
  if (captured === 0) return [];
  if ((refunded === captured) !== (state === 'REFUNDED')) return ['state'];
  return asked && state === 'REFUNDED' && refund !== 'DONE' ? ['state'] : [];
}
