import { Module } from '@nestjs/common';
import { StockGaugeStore } from '../gauges/stock-gauge.store.js';
import { AuditSale } from './audit-sale.js';
import { DriftJob } from './drift.job.js';
import { PostgresRecordsStore } from './postgres-records.store.js';
import { ReconcileController } from './reconcile.controller.js';
import { RedisRecordsClient } from './redis-records.client.js';
import { SyncRowStore } from './sync-row.store.js';

/** Needs PaymentModule in the application, for the provider's book. */
@Module({ controllers: [ReconcileController], providers: [AuditSale, DriftJob, StockGaugeStore, PostgresRecordsStore, RedisRecordsClient, SyncRowStore] })
export class ReconcileModule {}
