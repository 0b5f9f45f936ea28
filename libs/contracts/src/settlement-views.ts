/** How a payment, or an order's money, can differ between a provider's book and ours. */
export const settlementDifferenceKinds = [
  'not-here', 'not-there', 'other-order', 'state', 'amount', 'refund-missing', 'refund-double', 'refund-unasked', 'no-order', 'paid-and-refunded', 'paid-without-money',
] as const;
export type SettlementDifferenceKind = (typeof settlementDifferenceKinds)[number];

/** One difference, with what each side says of it in words. `paymentId` is null for an order that no payment stands for. */
export interface SettlementDifferenceView {
  kind: SettlementDifferenceKind;
  paymentId: string | null;
  orderId: string;
  here: string;
  there: string;
}

/** A comparison of a provider's book with our rows; `day` null: over all time. Counts are of payments. */
export interface SettlementView {
  id: string;
  provider: string;
  day: string | null;
  state: 'running' | 'equal' | 'different' | 'unknown';
  /** Why it is unknown. */
  problem: string | null;
  startedAt: string;
  finishedAt: string | null;
  payments: { there: number; here: number };
  counts: Partial<Record<SettlementDifferenceKind, number>>;
  differences: SettlementDifferenceView[];
  nextCursor: string | null;
}
