import type { ReleaseReason, Reservation } from '@floodgate/contracts';
import type { OrderRow } from '../order/order.row.js';
import type { OrderStore } from '../order/order.store.js';
import type { SagaRunner } from '../saga/saga.runner.js';
import type { CreateOrder } from './create-order.js';
import { blankOrder, closedAtOnce, newPurchase, type Purchase, type PurchaseWork } from './purchase.js';

/**
 * Judges reservations of one lane, once each: what has a row is decided already, whatever arrives again, late, or out of order.
 * The work holds the lane's lock, so nobody else writes first rows of the lane meanwhile.
 */
export class Arbiter {
  constructor(
    private readonly runner: SagaRunner<Purchase, PurchaseWork, ReleaseReason>,
    private readonly orders: OrderStore,
    private readonly rows: CreateOrder,
  ) {}

  /** In message order; what does not fit becomes a terminal row with its reason. A parked row goes on its way. Returns the new rows. */
  async place(work: PurchaseWork, lane: number, reservations: readonly Reservation[]): Promise<OrderRow[]> {
    const { fresh, existing } = await this.sort(work, reservations);
    await this.unpark(work, existing);
    return this.judge(work, fresh.map((reservation) => newPurchase(work, lane, reservation)));
  }

  /** As {@link place}, but the rows wait as STUCK for somebody to replay or close them, and what the sale cannot make sense of is refused. */
  async park(work: PurchaseWork, lane: number, reservations: readonly Reservation[]): Promise<OrderRow[]> {
    const { fresh } = await this.sort(work, reservations);
    const sensible = fresh.filter((reservation) => isSensible(work, lane, reservation));
    const parked = sensible.map((reservation) => newPurchase(work, lane, reservation));
    for (const purchase of parked) purchase.order = { ...purchase.order, state: 'STUCK', payBy: null };
    const rows = await this.judge(work, parked);
    const senseless = fresh.filter((reservation) => !sensible.includes(reservation));
    return [...rows, ...(await this.bury(work, lane, senseless, 'order-rejected'))];
  }

  /** Terminal rows for reservations without a row. Returns those written. */
  async bury(work: PurchaseWork, lane: number, reservations: readonly Reservation[], reason: ReleaseReason): Promise<OrderRow[]> {
    const { fresh } = await this.sort(work, reservations);
    const purchases = fresh.map((reservation): Purchase => ({
      order: { ...closedAtOnce(blankOrder(work.sale, lane, reservation, new Date(work.nowMs)), reason), amount: knownAmount(work, lane, reservation) },
      hasRow: false, holdsStock: 'no', tookInventory: false,
    }));
    if (purchases.length > 0) await this.rows.create(work, purchases);
    return purchases.map((purchase) => purchase.order);
  }

  private async judge(work: PurchaseWork, purchases: readonly Purchase[]): Promise<OrderRow[]> {
    const { undone } = await this.runner.start(work, purchases);
    await this.rows.refuse(work, undone);
    return purchases.map((purchase) => purchase.order);
  }

  private async sort(work: PurchaseWork, reservations: readonly Reservation[]): Promise<{ fresh: Reservation[]; existing: OrderRow[] }> {
    const byRid = new Map(reservations.map((reservation) => [reservation.rid, reservation]));
    const existing = await this.orders.read(work.tx, work.sale.saleId, [...byRid.keys()]);
    for (const order of existing) byRid.delete(order.rid);
    return { fresh: [...byRid.values()], existing };
  }

  private async unpark(work: PurchaseWork, existing: readonly OrderRow[]): Promise<void> {
    const stuck = existing.filter((order) => order.state === 'STUCK');
    if (stuck.length === 0 || work.sale.state === 'WITHDRAWN') return;
    const payBy = new Date(work.nowMs + work.sale.paymentWindowMs);
    await this.rows.announce(work, await this.orders.unpark(work.tx, work.sale.saleId, stuck.map((order) => order.rid), payBy));
  }
}

const isSensible = (work: PurchaseWork, lane: number, { items }: Reservation): boolean =>
  items.every((item) => work.stock.find(lane, item.itemId)) && new Set(items.map((item) => item.itemId)).size === items.length;

const knownAmount = (work: PurchaseWork, lane: number, { items }: Reservation): number =>
  items.reduce((sum, item) => sum + item.quantity * (work.stock.find(lane, item.itemId)?.price ?? 0), 0);
