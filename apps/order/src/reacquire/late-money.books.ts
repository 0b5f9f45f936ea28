import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { OrderRow } from '../order/order.row.js';
import { GiveBack } from '../payment/give-back.js';
import { PaymentStore, type PaymentStanding } from '../payment/payment.store.js';
import { ReacquisitionStore, type Reacquisition } from './reacquisition.store.js';

/** The rows that say where late money belongs. */
@Injectable()
export class LateMoneyBooks {
  constructor(private readonly rows: ReacquisitionStore, private readonly payments: PaymentStore, private readonly refunds: GiveBack) {}

  /** Null: the decision has come to its end meanwhile. Call it under the lane's lock. */
  async standing(tx: Transaction, late: Reacquisition): Promise<PaymentStanding | null> {
    if (!(await this.rows.isWaiting(tx, late.paymentId))) return null;
    return (await this.payments.standings(tx, [late.paymentId])).get(late.paymentId) ?? null;
  }

  /** False, with nothing written, where the payment's money is not there or not what the order costs. */
  async takeOver(tx: Transaction, late: Reacquisition, order: OrderRow): Promise<boolean> {
    if (!(await this.payments.takeOver(tx, late.paymentId, order))) return false;
    return this.rows.finish(tx, late.paymentId, null);
  }

  /** A payment that the provider has given back by itself is owed nothing. */
  async giveBack(tx: Transaction, late: Reacquisition, standing: PaymentStanding, reason: string): Promise<'refunded'> {
    await this.rows.finish(tx, late.paymentId, reason);
    if (standing.state === 'CAPTURED') await this.refunds.give(tx, late.saleId, [{ paymentId: late.paymentId, rid: late.rid }], `captured late, not reacquired: ${reason}`);
    return 'refunded';
  }
}
