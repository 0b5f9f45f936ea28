import { Module } from '@nestjs/common';
import { AuditLogModule } from '../audit-log/audit-log.module.js';
import { OrderModule } from '../order/order.module.js';
import { PurchaseModule } from '../place-order/purchase.module.js';
import { DeadLetterConsumer } from './dead-letter.consumer.js';
import { DeadLetterController } from './dead-letter.controller.js';
import { DeadLetterDesk } from './dead-letter.desk.js';
import { DeadLetterStore } from './dead-letter.store.js';
import { DeadLetterTimer } from './dead-letter.timer.js';
import { ParkedOrders } from './parked-orders.js';
import { ReplayRehearsal } from './replay-rehearsal.js';

@Module({
  imports: [PurchaseModule, OrderModule, AuditLogModule],
  controllers: [DeadLetterConsumer, DeadLetterController],
  providers: [DeadLetterStore, ParkedOrders, ReplayRehearsal, DeadLetterDesk, DeadLetterTimer],
})
export class DeadLetterModule {}
