import { Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { OrderModule } from '../order/order.module.js';
import { PurchaseModule } from '../place-order/purchase.module.js';
import { SweeperModule } from '../sweeper/sweeper.module.js';
import { CancelController } from './cancel.controller.js';
import { CancelOrder } from './cancel-order.js';

@Module({
  imports: [IdempotencyModule, OrderModule, PurchaseModule, SweeperModule],
  controllers: [CancelController],
  providers: [CancelOrder],
})
export class CancelModule {}
