import type { Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { OrderRow } from '../order/order.row.js';
import { PaymentCloser } from '../place-order/payment-closer.js';
import { PaymentStore } from './payment.store.js';

/** The undo of `await payment`, as far as our own rows go. */
@Injectable()
export class StoredPaymentCloser extends PaymentCloser {
  constructor(private readonly payments: PaymentStore) {
    super();
  }

  override async closePayments(tx: Transaction, orders: readonly OrderRow[]): Promise<void> {
    await this.payments.closeLive(tx, orders);
  }
}
