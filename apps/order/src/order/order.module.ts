import { Module } from '@nestjs/common';
import { SaleStoreModule } from '../sale/sale-store.module.js';
import { OrderAnnouncer } from './order.announcer.js';
import { OrderController } from './order.controller.js';
import { OrderListStore } from './order-list.store.js';
import { OrderStore } from './order.store.js';
import { VoucherOrders } from './voucher-orders.js';

@Module({
  imports: [SaleStoreModule],
  controllers: [OrderController],
  providers: [OrderStore, OrderListStore, OrderAnnouncer, VoucherOrders],
  exports: [OrderStore, OrderAnnouncer],
})
export class OrderModule {}
