import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { OrderStore } from '../order/order.store.js';
import { PurchaseSaga } from '../place-order/purchase.saga.js';
import { ReacquisitionStore } from '../reacquire/reacquisition.store.js';
import { raceActions, raceStateOf, type RaceAction } from './payment-race.js';
import type { PaymentRow, PaymentStanding } from './payment.store.js';
import { GiveBack } from './give-back.js';

/** One payment's action, and what it was decided by. */
export interface Decision {
  action: RaceAction;
  payment: PaymentRow;
  standing: PaymentStanding;
}

/** What each action of the race table does to orders and stock. */
@Injectable()
export class PaymentEffects {
  constructor(
    private readonly saga: PurchaseSaga,
    private readonly orders: OrderStore,
    private readonly refunds: GiveBack,
    private readonly reacquisitions: ReacquisitionStore,
  ) {}

  /** All of one sale, no order twice. Throws where an order is not what the decision was made by; then nothing may be committed. */
  async apply(tx: Transaction, saleId: string, decisions: readonly Decision[]): Promise<void> {
    for (const action of Object.keys(raceActions) as RaceAction[]) {
      const concerned = decisions.filter((decision) => decision.action === action);
      if (concerned.length > 0) await this.applyOne(tx, saleId, action, concerned);
    }
  }

  private async applyOne(tx: Transaction, saleId: string, action: RaceAction, decisions: readonly Decision[]): Promise<void> {
    const rids = decisions.map(({ standing }) => standing.rid);
    switch (action) {
      case 'mark-paid': {
        const paid = await this.saga.markAllPaid(tx, saleId, rids);
        if (paid.length < rids.length) throw new Error(`${rids.length - paid.length} of ${rids.length} orders can be paid no longer`);
        // Withdrawn while the money was on its way: these payments came too late to be listed with the paid orders.
        const withdrawn = decisions.filter(({ standing }) => standing.saleWithdrawn).map(({ standing }) => standing.rid);
        await this.orders.startRefunding(tx, saleId, withdrawn, 'sale-withdrawn');
        return;
      }
      case 'refund':
        return this.giveBack(tx, saleId, decisions);
      case 'late': {
        const isReacquired = ({ standing }: Decision) => standing.latePayment === 'reacquire' && !standing.saleWithdrawn;
        await this.reacquisitions.decide(tx, saleId, decisions.filter(isReacquired).map(({ standing }) => standing));
        return this.giveBack(tx, saleId, decisions.filter((decision) => !isReacquired(decision)));
      }
      case 'close':
        await this.saga.closeOrders(tx, saleId, rids, 'payment-declined');
        return;
      case 'finish-refund':
        // The reason it is being refunded for stands in the row and wins.
        await this.saga.closeOrders(tx, saleId, rids, 'sale-withdrawn');
        return;
      case 'report':
      case 'keep':
      case 'ignore':
      case 'refuse':
        return;
      default:
        return action satisfies never;
    }
  }

  private async giveBack(tx: Transaction, saleId: string, decisions: readonly Decision[]): Promise<void> {
    const states = Map.groupBy(decisions, ({ standing }) => raceStateOf(standing.orderState, standing.orderReason));
    for (const [state, group] of states) await this.refunds.give(tx, saleId, group.map(({ standing }) => standing), `captured while the order was ${state}`);
  }
}
