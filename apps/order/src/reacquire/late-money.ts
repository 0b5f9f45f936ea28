import { crashPoint, Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { lockStock } from '../ledger/lane-stock.js';
import { OrderAnnouncer } from '../order/order.announcer.js';
import { OrderStore } from '../order/order.store.js';
import type { PaymentStanding } from '../payment/payment.store.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import { LateMoneyBooks } from './late-money.books.js';
import type { Reacquisition } from './reacquisition.store.js';

/** `waiting`: the order is parked, or appeared just now; look again. `ended`: somebody else has ended it. */
export type Settled = 'reacquired' | 'refunded' | 'waiting' | 'ended';

/** The two ways in which late money comes to rest, each one transaction: it stands for the new order, or it is given back. */
@Injectable()
export class LateMoney {
  constructor(
    private readonly database: Database, private readonly orders: OrderStore, private readonly saga: PurchaseSaga,
    private readonly books: LateMoneyBooks, private readonly announcer: OrderAnnouncer,
  ) {}

  /** For a new order that is there: pays it with the late money, or gives that back where the order cannot take it. */
  async settle(late: Reacquisition): Promise<Settled> {
    return this.commit(late, async (tx, standing) => {
      const [order] = await this.orders.read(tx, late.saleId, [late.newRid]);
      if (!order || order.state === 'STUCK') return 'waiting';
      if (order.state !== 'PENDING' && order.state !== 'CLOSING') return this.books.giveBack(tx, late, standing, `the new order was ${[order.state, order.reason].filter(Boolean).join(' ')}`);
      if (!(await this.books.takeOver(tx, late, order))) return this.books.giveBack(tx, late, standing, 'the money is not what the new order costs, or not there any more');
      const paid = await this.saga.markAllPaid(tx, late.saleId, [late.newRid]);
      if (paid.length === 0) throw new Error(`order ${late.newRid} can be paid no longer`);
      // Withdrawn since the door let it in: the withdrawal may have looked before it was paid.
      if (standing.saleWithdrawn) await this.orders.startRefunding(tx, late.saleId, [late.newRid], 'sale-withdrawn');
      const [replaced] = await this.orders.read(tx, late.saleId, [late.rid]);
      await this.announcer.replaced(tx, replaced!, late.newRid);
      return 'reacquired';
    });
  }

  /**
   * There will be no new order. `unsure`: an earlier question may have been heard although no answer came, so the new order's place is taken
   * by a terminal row first; where it is found taken, the order is there after all.
   */
  async giveUp(late: Reacquisition, reason: string, unsure: boolean): Promise<Settled> {
    return this.commit(late, async (tx, standing) => {
      if (unsure && (await this.bury(tx, late)) === 'existed') return 'waiting';
      return this.books.giveBack(tx, late, standing, reason);
    });
  }

  private async commit(late: Reacquisition, work: (tx: Transaction, standing: PaymentStanding) => Promise<Settled>): Promise<Settled> {
    const settled = await this.database.transaction(async (tx) => {
      // The lane's lock first, as everywhere; under it nobody judges this payment or either order.
      await lockStock(tx, late.saleId, new Map([[late.lane, []]]));
      const standing = await this.books.standing(tx, late);
      if (!standing) return 'ended';
      const result = await work(tx, standing);
      crashPoint('reacquire.before-commit');
      return result;
    });
    crashPoint('reacquire.after-commit');
    return settled;
  }

  private bury(tx: Transaction, late: Reacquisition): Promise<'written' | 'existed'> {
    const { newRid: rid, accountId, ipHash, items, number, reservedAt } = late;
    return this.saga.tombstone(tx, late.saleId, late.lane, { rid, accountId, ipHash, items, number, reservedAtMs: reservedAt.getTime() }, 'order-rejected');
  }
}
