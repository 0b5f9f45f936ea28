import type { ReleaseReason } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { OrderAnnouncer } from '../order/order.announcer.js';
import type { OrderRow } from '../order/order.row.js';
import { OrderStore } from '../order/order.store.js';
import { closedAtOnce, type Purchase, type PurchaseWork } from './purchase.js';

/** The order's row through the saga; whoever must know is told by the same transaction. */
@Injectable()
export class CreateOrder {
  constructor(private readonly orders: OrderStore, private readonly announcer: OrderAnnouncer) {}

  async create(work: PurchaseWork, purchases: readonly Purchase[]): Promise<void> {
    await this.orders.insert(work.tx, purchases.map((purchase) => purchase.order));
    for (const purchase of purchases) purchase.hasRow = true;
    await this.announce(work, purchases.map((purchase) => purchase.order));
  }

  /** Purchases without a row are passed over. Throws where a row has moved although its lock is held. */
  async close(work: PurchaseWork, purchases: readonly Purchase[], reason: ReleaseReason): Promise<void> {
    const existing = purchases.filter((purchase) => purchase.hasRow);
    if (existing.length === 0) return;
    this.moved(existing, await this.orders.close(work.tx, work.sale.saleId, existing.map((purchase) => purchase.order.rid), reason));
    await this.announce(work, existing.map((purchase) => purchase.order));
  }

  /** → PAID, and Redis is told that the units are settled. */
  async pay(work: PurchaseWork, purchases: readonly Purchase[]): Promise<void> {
    this.moved(purchases, await this.orders.pay(work.tx, work.sale.saleId, purchases.map((purchase) => purchase.order.rid)));
    await this.announcer.sync(work.tx, purchases.map((purchase) => purchase.order));
  }

  async tell(work: PurchaseWork, purchases: readonly Purchase[]): Promise<void> {
    await this.announcer.tell(work.tx, purchases.map((purchase) => purchase.order));
  }

  /** The terminal row of a purchase that never came to be an order: its fate is decided, and stays so when the message comes again. */
  async refuse(work: PurchaseWork, refused: readonly { subject: Purchase; reason: ReleaseReason }[]): Promise<void> {
    if (refused.length === 0) return;
    for (const { subject, reason } of refused) subject.order = closedAtOnce(subject.order, reason);
    await this.create(work, refused.map(({ subject }) => subject));
  }

  /** Tells Redis and the world how these rows stand now. */
  async announce(work: PurchaseWork, orders: readonly OrderRow[]): Promise<void> {
    await this.announcer.sync(work.tx, orders);
    await this.announcer.tell(work.tx, orders);
  }

  private moved(purchases: readonly Purchase[], rows: readonly OrderRow[]): void {
    const byRid = new Map(rows.map((row) => [row.rid, row]));
    for (const purchase of purchases) {
      const row = byRid.get(purchase.order.rid);
      if (!row) throw new Error(`order ${purchase.order.rid} is no longer ${purchase.order.state}`);
      purchase.order = row;
    }
  }
}
