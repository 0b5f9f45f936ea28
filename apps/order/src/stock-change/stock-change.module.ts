import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module.js';
import { LedgerModule } from '../ledger/ledger.module.js';
import { SaleStoreModule } from '../sale/sale-store.module.js';
import { ChangeStock } from './change-stock.js';
import { StockBooking } from './stock.booking.js';
import { StockChangeController } from './stock-change.controller.js';
import { StockChangeStore } from './stock-change.store.js';

@Module({
  imports: [InventoryModule, LedgerModule, SaleStoreModule],
  controllers: [StockChangeController],
  providers: [ChangeStock, StockBooking, StockChangeStore],
})
export class StockChangeModule {}
