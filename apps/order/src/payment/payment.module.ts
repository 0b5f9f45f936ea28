import { Global, Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { OrderModule } from '../order/order.module.js';
import { PurchaseModule } from '../place-order/purchase.module.js';
import { PaymentBook } from '../reconcile/payment-book.js';
import { ReacquisitionStoreModule } from '../reacquire/reacquisition-store.module.js';
import { GiveBack } from './give-back.js';
import { PaidBackOrders } from './paid-back.orders.js';
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
  imports: [IdempotencyModule, OrderModule, PaymentStoreModule, PurchaseModule, ReacquisitionStoreModule],
  controllers: [PaymentController],
  providers: [
    { provide: PaymentBook, useClass: ProviderPaymentBook },
    PaymentEventStore, RefundStore, GiveBack, PaidBackOrders, PaymentEffects, LaneJudge, PaymentJudge, PaymentClaims, StartPayment, RefundWorker,
    PaymentPoller, UnansweredStore,
  ],
  exports: [GiveBack, PaymentBook, PaymentJudge, PaymentStoreModule],
})
export class PaymentModule {}
