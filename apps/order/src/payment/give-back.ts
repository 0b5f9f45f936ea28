import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { OrderAnnouncer } from '../order/order.announcer.js';
import { OrderStore } from '../order/order.store.js';
import { RefundStore } from './refund.store.js';

/** Money that its order cannot take: it is owed from now on, once, and the buyer is told. */
@Injectable()
export class GiveBack {
  constructor(private readonly refunds: RefundStore, private readonly orders: OrderStore, private readonly announcer: OrderAnnouncer) {}

  /** @param payments captured, of one sale; one whose refund was asked for before is passed over */
  async give(tx: Transaction, saleId: string, payments: readonly { paymentId: string; rid: string }[], reason: string): Promise<void> {
    const asked = await this.refunds.request(tx, payments.map((payment) => payment.paymentId), reason);
    const rids = payments.filter((payment) => asked.has(payment.paymentId)).map((payment) => payment.rid);
    await this.announcer.returned(tx, saleId, await this.orders.read(tx, saleId, rids));
  }
}
