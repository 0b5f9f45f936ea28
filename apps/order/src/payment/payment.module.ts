import { Global, Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { OrderModule } from '../order/order.module.js';
import { PurchaseModule } from '../place-order/purchase.module.js';
import { PaymentBook } from '../reconcile/payment-book.js';
import { PaymentEventStore } from './payment-event.store.js';
import { PaymentStoreModule } from './payment-store.module.js';
import { PaymentController } from './payment.controller.js';
import { LaneJudge } from './lane.judge.js';
import { PaymentClaims } from './payment.claims.js';
import { PaymentEffects } from './payment.effects.js';
import { PaymentJudge } from './payment.judge.js';
import { PaymentPoller } from './payment.poller.js';
import { ProviderPaymentBook } from './provider-payment.book.js';
import { RefundStore } from './refund.store.js';
import { RefundWorker } from './refund.worker.js';
import { StartPayment } from './start-payment.js';
import { UnansweredStore } from './unanswered.store.js';

/** Global, because sweeper, cancel and audit judge and read payments too. Needs PaymentProviderModule in the application. */
@Global()
@Module({
  imports: [IdempotencyModule, OrderModule, PaymentStoreModule, PurchaseModule],
  controllers: [PaymentController],
  providers: [
    { provide: PaymentBook, useClass: ProviderPaymentBook },
    PaymentEventStore, RefundStore, PaymentEffects, LaneJudge, PaymentJudge, PaymentClaims, StartPayment, RefundWorker, PaymentPoller, UnansweredStore,
  ],
  exports: [PaymentBook, PaymentJudge, PaymentStoreModule],
})
export class PaymentModule {}
