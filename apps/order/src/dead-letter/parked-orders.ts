import { classifyFailure, createLogger, Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { lockStock } from '../ledger/lane-stock.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import type { Affected } from './affected-orders.js';
import { DeadLetterStore } from './dead-letter.store.js';

/** Orders that wait in STUCK, holding their units, for somebody to decide about their dead letter. */
@Injectable()
export class ParkedOrders {
  private readonly log = createLogger('parked-orders');

  constructor(
    private readonly database: Database,
    private readonly saga: PurchaseSaga,
    private readonly letters: DeadLetterStore,
  ) {}

  /** Gives every reservation without a row one. What is too broken even for that is left to the letter; throws only where a server is away. */
  async park({ saleId, lane, reservations }: NonNullable<Affected['placing']>): Promise<void> {
    if (reservations.length === 0) return;
    try {
      await this.database.transaction((tx) => this.saga.park(tx, saleId, lane, reservations));
    } catch (error) {
      if (classifyFailure(error) === 'infrastructure') throw error;
      if (reservations.length > 1) {
        for (const reservation of reservations) await this.park({ saleId, lane, reservations: [reservation] });
        return;
      }
      this.log.error({ rid: reservations[0]?.rid, err: error }, 'an order could not be parked, only its letter stands');
    }
  }

  /** Closes those of the orders that are parked, and no others: an order that went on its way meanwhile is not the letter's any more. */
  async close(tx: Transaction, reservationIds: readonly string[]): Promise<number> {
    const seen = await this.letters.parked(tx, reservationIds);
    let closed = 0;
    for (const [saleId, group] of Map.groupBy(seen, (order) => order.saleId)) {
      await lockStock(tx, saleId, new Map(group.map((order) => [order.lane, []])));
      // Read again: only under the lanes' locks does nobody take an order out of STUCK.
      const parked = await this.letters.parked(tx, group.map((order) => order.rid));
      closed += (await this.saga.closeOrders(tx, saleId, parked.map((order) => order.rid), 'order-rejected')).length;
    }
    return closed;
  }
}
