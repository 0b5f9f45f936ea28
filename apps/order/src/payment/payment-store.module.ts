import { Module } from '@nestjs/common';
import { PaymentCloser } from '../place-order/payment-closer.js';
import { PaymentStore } from './payment.store.js';
import { StoredPaymentCloser } from './stored-payment.closer.js';

/** Payment rows alone, with nothing of the saga, which needs them to close orders. */
@Module({
  providers: [PaymentStore, { provide: PaymentCloser, useClass: StoredPaymentCloser }],
  exports: [PaymentStore, PaymentCloser],
})
export class PaymentStoreModule {}
