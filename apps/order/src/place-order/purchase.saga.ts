import type { ReleaseReason, Reservation } from '@floodgate/contracts';
import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { OrderRow } from '../order/order.row.js';

// The signatures that the colleagues' folders use; the table follows.
@Injectable()
export class PurchaseSaga {
  /**
   * Closes orders for good and gives their units back: PENDING, CLOSING, STUCK or REFUNDING → CLOSED. Takes every lock itself, in the one order,
   * so call it before locking any order row in this transaction. Writes ledger, inventory, sync-stock and order.closed. A reason that
   * a CLOSING or REFUNDING row carries already wins. Returns the orders this call closed; others are left as they are.
   */
  declare closeOrders: (tx: Transaction, saleId: string, rids: readonly string[], reason: ReleaseReason) => Promise<OrderRow[]>;

  /** PENDING or CLOSING → PAID, the point of no return; SELL, sync-stock, order.paid. Null where the order is in another state. */
  declare markPaid: (tx: Transaction, saleId: string, rid: string) => Promise<OrderRow | null>;

  /**
   * A terminal row for a reservation that has none: a message that comes later finds its fate decided. `existed`: there was a row already
   * (then nothing was written, and the caller closes that one). Emits sync-stock (holds nothing) and order.closed.
   */
  declare tombstone: (tx: Transaction, saleId: string, lane: number, reservation: Reservation, reason: ReleaseReason) => Promise<'written' | 'existed'>;

  /**
   * For dead letters: a STUCK row that holds units where they are still free, for each reservation that has no row. What cannot be held
   * becomes a tombstone (`order-rejected`). A replayed place-order takes a STUCK row to PENDING.
   */
  declare park: (tx: Transaction, saleId: string, lane: number, reservations: readonly Reservation[]) => Promise<{ parked: string[]; rejected: string[] }>;
}
