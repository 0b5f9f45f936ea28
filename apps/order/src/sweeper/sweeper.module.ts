import { Module } from '@nestjs/common';
import { OrderModule } from '../order/order.module.js';
import { PaymentStoreModule } from '../payment/payment-store.module.js';
import { PurchaseModule } from '../place-order/purchase.module.js';
import { ClosingStore } from './closing.store.js';
import { OrderCloser } from './order.closer.js';
import { Sweeper } from './sweeper.js';

/** Needs PaymentModule in the application. */
@Module({
  imports: [OrderModule, PaymentStoreModule, PurchaseModule],
  providers: [ClosingStore, OrderCloser, Sweeper],
  exports: [OrderCloser],
})
export class SweeperModule {}
