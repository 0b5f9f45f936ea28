export interface SettlementDifference {
  readonly kind: string;
  readonly paymentId: string | null;
  readonly orderId: string;
  readonly here: string;
  readonly there: string;
}

/** The answer of `GET /v1/admin/settlements/{provider}`. */
export interface Settlement {
  readonly id: string;
  readonly provider: string;
  readonly day: string | null;
  readonly state: 'running' | 'equal' | 'different' | 'unknown';
  readonly problem: string | null;
  readonly payments: { readonly there: number; readonly here: number };
  readonly counts: Readonly<Record<string, number>>;
  readonly differences: readonly SettlementDifference[];
  readonly nextCursor: string | null;
}

/** 0: equal, 1: differences, 2: unknown, for whoever calls it from a script. Null: nobody answered. */
export function exitCodeOf(settlement: Pick<Settlement, 'state'> | null): 0 | 1 | 2 {
  if (settlement?.state === 'equal') return 0;
  return settlement?.state === 'different' ? 1 : 2;
}

/** The comparison as lines of text, every difference in one. */
export function formatSettlement({ id, provider, day, state, problem, payments, counts, differences }: Settlement): string[] {
  return [
    `${provider}, ${day ?? 'all time'}: ${payments.there} payments in the provider's book, ${payments.here} in ours (comparison ${id})`,
    ...differences.map((one) => `${one.kind}: payment ${one.paymentId ?? '-'}, order ${one.orderId}: here ${one.here}; there ${one.there}`),
    ...(differences.length === 0 ? [] : [Object.entries(counts).map(([kind, count]) => `${kind} ${count}`).join(', ')]),
    `verdict: ${state}${problem === null ? '' : `, ${problem}`}`,
  ];
}
