import { createLogger, Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import { RefundStore } from './refund.store.js';

const ordersMax = 100;

/**
 * Orders that came to REFUNDING after the provider had given the money back by itself (a dispute, then a withdrawn sale): no notice
 * will come for them any more, so they are looked for.
 */
@Injectable()
export class PaidBackOrders {
  private readonly log = createLogger('refund');

  constructor(private readonly database: Database, private readonly refunds: RefundStore, private readonly saga: PurchaseSaga) {}

  /** Each in its own transaction: one that cannot be closed must not keep the others. */
  async finish(): Promise<void> {
    for (const { saleId, rid, reason } of await this.refunds.ordersPaidBack(ordersMax)) {
      try {
        await this.database.transaction((tx) => this.saga.closeOrders(tx, saleId, [rid], reason));
      } catch (error) {
        this.log.error({ rid, err: error }, 'an order whose money is back could not be closed, it will be tried again');
      }
    }
  }
}
