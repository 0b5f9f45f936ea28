import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module.js';
import { LedgerModule } from '../ledger/ledger.module.js';
import { OrderModule } from '../order/order.module.js';
import { PurchaseModule } from '../place-order/purchase.module.js';
import { ArmingMessages } from './arming.messages.js';
import { CheckStockController } from './check-stock.controller.js';
import { CopySaleConsumer } from './copy-sale.consumer.js';
import { LanesConsumer } from './lanes.consumer.js';
import { SaleStoreModule } from './sale-store.module.js';
import { WithdrawalController } from './withdrawal.controller.js';
import { WithdrawalStore } from './withdrawal.store.js';
import { WithdrawSaleJob } from './withdraw-sale.job.js';

@Module({
  imports: [InventoryModule, LedgerModule, OrderModule, PurchaseModule, SaleStoreModule],
  controllers: [CopySaleConsumer, CheckStockController, LanesConsumer, WithdrawalController],
  providers: [ArmingMessages, WithdrawalStore, WithdrawSaleJob],
})
export class SaleModule {}
