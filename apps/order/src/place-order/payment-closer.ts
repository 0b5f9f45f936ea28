import type { ReleaseReason } from '@floodgate/contracts';
import type { Transaction } from '@floodgate/platform';
import type { OrderRow } from '../order/order.row.js';

/**
 * What the saga needs of payments when it undoes `await payment`: implemented in payment/.
 * The provider was asked before (CLOSING), outside of any transaction; this only writes down that the orders' payments are over.
 */
export abstract class PaymentCloser {
  /** Idempotent, and safe for orders that never had a payment. Runs in the transaction that closes the orders, on rows locked by it. */
  abstract closePayments(tx: Transaction, orders: readonly OrderRow[], reason: ReleaseReason): Promise<void>;
}
