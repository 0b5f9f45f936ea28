import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module.js';
import { LedgerModule } from '../ledger/ledger.module.js';
import { OrderModule } from '../order/order.module.js';
import { PaymentStoreModule } from '../payment/payment-store.module.js';
import { SaleStoreModule } from '../sale/sale-store.module.js';
import { AccountUsageStore } from './account-usage.store.js';
import { CreateOrder } from './create-order.js';
import { HoldStock } from './hold-stock.js';
import { PlaceOrderConsumer } from './place-order.consumer.js';
import { PurchaseSaga } from './purchase.saga.js';
import { PurchaseSteps } from './purchase.steps.js';
import { TakeInventory } from './take-inventory.js';

@Module({
  imports: [InventoryModule, LedgerModule, OrderModule, PaymentStoreModule, SaleStoreModule],
  controllers: [PlaceOrderConsumer],
  providers: [AccountUsageStore, HoldStock, TakeInventory, CreateOrder, PurchaseSteps, PurchaseSaga],
  exports: [PurchaseSaga],
})
export class PurchaseModule {}
