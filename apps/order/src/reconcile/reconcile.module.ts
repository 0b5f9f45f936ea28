import { Module } from '@nestjs/common';
import { AuditLogModule } from '../audit-log/audit-log.module.js';
import { StockGaugeStore } from '../gauges/stock-gauge.store.js';
import { AuditSale } from './audit-sale.js';
import { DifferenceMender } from './difference.mender.js';
import { DriftJob } from './drift.job.js';
import { PostgresRecordsStore } from './postgres-records.store.js';
import { ReconcileSale } from './reconcile-sale.js';
import { ReconcileController } from './reconcile.controller.js';
import { RedisRecordsClient } from './redis-records.client.js';
import { SyncRowStore } from './sync-row.store.js';

/** Needs PaymentModule in the application, for the provider's book. */
@Module({
  imports: [AuditLogModule],
  controllers: [ReconcileController],
  providers: [AuditSale, DifferenceMender, DriftJob, ReconcileSale, StockGaugeStore, PostgresRecordsStore, RedisRecordsClient, SyncRowStore],
})
export class ReconcileModule {}
