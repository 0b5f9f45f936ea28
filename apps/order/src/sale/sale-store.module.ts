import { Module } from '@nestjs/common';
import { SaleStore } from './sale.store.js';

/** The copies of sales alone: most of the service reads them. */
@Module({ providers: [SaleStore], exports: [SaleStore] })
export class SaleStoreModule {}
