import { Module } from '@nestjs/common';
import { OrderModule } from '../order/order.module.js';
import { PurchaseModule } from '../place-order/purchase.module.js';
import { LateMoney } from './late-money.js';
import { LateMoneyBooks } from './late-money.books.js';
import { ReacquireJob } from './reacquire.job.js';
import { ReacquisitionStoreModule } from './reacquisition-store.module.js';
import { ReserveDoorClient } from './reserve-door.client.js';

/** Needs PaymentModule in the application. */
@Module({
  imports: [OrderModule, PurchaseModule, ReacquisitionStoreModule],
  providers: [ReserveDoorClient, LateMoneyBooks, LateMoney, ReacquireJob],
})
export class ReacquireModule {}
