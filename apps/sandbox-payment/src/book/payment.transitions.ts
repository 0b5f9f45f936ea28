/** What the book says of a payment. `captured` means that the buyer's money was taken. */
export const paymentStates = ['open', 'captured', 'declined', 'closed', 'expired', 'refunded'] as const;
export type PaymentState = (typeof paymentStates)[number];
export type PaymentAction = 'capture' | 'decline' | 'expire' | 'close' | 'refund' | 'capture-late';

/** State × action → the next state; what is not here changes nothing. An open payment ends exactly once; only a misbehaving provider captures a closed one. */
export const transitions = {
  open: { capture: 'captured', decline: 'declined', expire: 'expired', close: 'closed' },
  captured: { refund: 'refunded' },
  declined: {},
  closed: { 'capture-late': 'captured' },
  expired: {},
  refunded: {},
} as const satisfies Record<PaymentState, Partial<Record<PaymentAction, PaymentState>>>;

/** The state that an action leads to, or null if the action is not possible (any more). */
export function nextState(state: PaymentState, action: PaymentAction): PaymentState | null {
  const row: Partial<Record<PaymentAction, PaymentState>> = transitions[state];
  return row[action] ?? null;
}

/** The notice that reaching a state is worth; closing was asked for by the one who would be told. */
export const noticeOf = {
  open: null,
  captured: 'payment.captured',
  declined: 'payment.declined',
  closed: null,
  expired: 'payment.expired',
  refunded: 'payment.refunded',
} as const satisfies Record<PaymentState, string | null>;

/**
 * What time has done to a payment: the buyer's delayed decision, or its expiry, whichever was due first; after a close the capture that comes too late. Null: nothing yet.
 * A decision due before the expiry counts even if the provider was down at both moments, so that a restart decides nothing anew.
 */
export function dueAction(
  payment: { state: PaymentState; outcome: 'capture' | 'decline' | null; settleAtMs: number | null; expiresAtMs: number; lateCaptureAtMs: number | null },
  nowMs: number,
): { action: 'capture' | 'decline' | 'expire' | 'capture-late'; atMs: number } | null {
  const { state, outcome, settleAtMs, expiresAtMs, lateCaptureAtMs } = payment;
  if (state === 'closed' && lateCaptureAtMs !== null) return lateCaptureAtMs <= nowMs ? { action: 'capture-late', atMs: lateCaptureAtMs } : null;
  if (state !== 'open') return null;
  if (outcome !== null && settleAtMs !== null && settleAtMs < expiresAtMs) {
    return settleAtMs <= nowMs ? { action: outcome, atMs: settleAtMs } : null;
  }
  return expiresAtMs <= nowMs ? { action: 'expire', atMs: expiresAtMs } : null;
}
