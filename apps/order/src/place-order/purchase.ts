import type { ReleaseReason, Reservation } from '@floodgate/contracts';
import type { Transaction } from '@floodgate/platform';
import type { Needs } from '../inventory/inventory.store.js';
import type { LaneStock } from '../ledger/lane-stock.js';
import type { OrderRow } from '../order/order.row.js';
import { holdsUnits, isSold } from '../order/order.transitions.js';
import type { SaleCopy } from '../sale/sale.store.js';
import type { Limits } from './decide.js';

/** What the steps of one transaction share. `nowMs` is the database's clock, read after the locks were granted. */
export interface PurchaseWork {
  tx: Transaction;
  sale: SaleCopy;
  stock: LaneStock;
  nowMs: number;
}

/** An order on its way through the saga, and what it has of the world so far: an undo gives back exactly that. */
export interface Purchase {
  order: OrderRow;
  hasRow: boolean;
  holdsStock: 'no' | 'held' | 'sold';
  tookInventory: boolean;
}

/** A reservation that has no row yet. The price is the one the sale was approved with; throws for an item that the sale does not have. */
export function newPurchase(work: PurchaseWork, lane: number, reservation: Reservation): Purchase {
  const now = new Date(work.nowMs);
  const amount = reservation.items.reduce((sum, item) => sum + item.quantity * work.stock.get(lane, item.itemId).price, 0);
  return { order: { ...blankOrder(work.sale, lane, reservation, now), amount }, hasRow: false, holdsStock: 'no', tookInventory: false };
}

/** A row that was read and locked: what it has follows from its state. */
export function purchaseOf(order: OrderRow): Purchase {
  const live = holdsUnits(order.state);
  return { order, hasRow: true, holdsStock: !live ? 'no' : isSold(order.state) ? 'sold' : 'held', tookInventory: live };
}

/** A first row that waits for payment, of a price still to be said. */
export function blankOrder(sale: SaleCopy, lane: number, reservation: Reservation, now: Date): OrderRow {
  return {
    saleId: sale.saleId, rid: reservation.rid, lane, accountId: reservation.accountId, ipHash: reservation.ipHash, number: reservation.number,
    items: reservation.items, state: 'PENDING', reason: null, version: 1, amount: 0, currency: sale.currency,
    payBy: new Date(now.getTime() + sale.paymentWindowMs), reservedAt: new Date(reservation.reservedAtMs),
    createdAt: now, updatedAt: now, paidAt: null, closingSince: null,
  };
}

/** The same row as one that was decided at once. */
export const closedAtOnce = (order: OrderRow, reason: ReleaseReason): OrderRow => ({ ...order, state: 'CLOSED', reason, payBy: null });

export const limitsOf = (work: Pick<PurchaseWork, 'sale' | 'stock'>, lane: number): Limits => ({
  perSale: work.sale.perAccount,
  perItem: (itemId) => work.stock.find(lane, itemId)?.perAccount ?? null,
});

/** Units that were paid for and then turned out not to be there (no code was left, say). */
export const isBurned = (purchase: Purchase, reason: ReleaseReason): boolean => purchase.holdsStock === 'sold' && reason === 'out-of-inventory';

/** What an order needs of each SKU. */
export function skuNeeds(work: Pick<PurchaseWork, 'stock'>, order: OrderRow): Needs {
  const needs = new Map<string, number>();
  for (const item of order.items) {
    const sku = work.stock.get(order.lane, item.itemId).skuId;
    needs.set(sku, (needs.get(sku) ?? 0) + item.quantity);
  }
  return needs;
}
