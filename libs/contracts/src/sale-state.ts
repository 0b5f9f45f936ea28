/** The states a sale is stored in. OPEN and the ENDED of the clock are not stored: they follow from the window. */
export const storedSaleStates = ['DRAFT', 'SUBMITTED', 'APPROVED', 'ARMED', 'PAUSED', 'ENDED', 'REJECTED', 'WITHDRAWN'] as const;
export type StoredSaleState = (typeof storedSaleStates)[number];
export type SaleState = StoredSaleState | 'OPEN';

/** What a person may do to a sale, from which states, and the state that is stored then. */
export const saleTransitions = {
  submit: { from: ['DRAFT'], to: 'SUBMITTED' },
  approve: { from: ['SUBMITTED'], to: 'APPROVED' },
  reject: { from: ['SUBMITTED'], to: 'REJECTED' },
  pause: { from: ['OPEN'], to: 'PAUSED' },
  resume: { from: ['PAUSED'], to: 'ARMED' },
  close: { from: ['OPEN', 'PAUSED'], to: 'ENDED' },
  withdraw: { from: ['APPROVED', 'ARMED', 'OPEN', 'PAUSED', 'ENDED'], to: 'WITHDRAWN' },
} as const satisfies Record<string, { from: readonly SaleState[]; to: StoredSaleState }>;
export type SaleAction = keyof typeof saleTransitions;

/**
 * The state people see: what is stored, moved on by the clock. A sale is open from `opensAtMs` (inclusive) to `closesAtMs` (exclusive).
 * An approved sale that is not armed stays APPROVED although its window has come: it cannot sell.
 * @param nowMs the platform's clock (Redis), epoch milliseconds
 */
export function saleStateAt(sale: { state: StoredSaleState; opensAtMs: number; closesAtMs: number }, nowMs: number): SaleState {
  if (sale.state === 'ARMED' && nowMs >= sale.opensAtMs && nowMs < sale.closesAtMs) return 'OPEN';
  const sellable = sale.state === 'APPROVED' || sale.state === 'ARMED' || sale.state === 'PAUSED';
  return sellable && nowMs >= sale.closesAtMs ? 'ENDED' : sale.state;
}

/** Reservation states as buyers see them, and the reasons of a release. */
export const reservationStates = ['QUEUED', 'ORDERED', 'PAID', 'FULFILLED', 'RELEASED'] as const;
export type ReservationState = (typeof reservationStates)[number];
export const releaseReasons = [
  'payment-timeout', 'payment-declined', 'cancelled-by-buyer', 'out-of-inventory', 'order-rejected', 'sale-withdrawn',
] as const;
export type ReleaseReason = (typeof releaseReasons)[number];
