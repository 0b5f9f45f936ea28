import { Module } from '@nestjs/common';
import { SaleStoreModule } from '../sale/sale-store.module.js';
import { ReportController } from './report.controller.js';
import { ReportStore } from './report.store.js';

@Module({ imports: [SaleStoreModule], controllers: [ReportController], providers: [ReportStore] })
export class ReportModule {}
