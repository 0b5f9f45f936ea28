import { queues, type QueueName } from '@floodgate/contracts';
import { ConsumerProbes, Database, OutboxModule, PostgresModule, type PostgresOptions } from '@floodgate/platform';
import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { CancelModule } from './cancel/cancel.module.js';
import { CodeStoreModule } from './codes/code-store.module.js';
import { CodesModule } from './codes/codes.module.js';
import { providerSettings, warehouseSettings, type Config, type ProviderConfig, type WarehouseConfig } from './config.js';
import { DeadLetterModule } from './dead-letter/dead-letter.module.js';
import { GaugesModule } from './gauges/gauges.module.js';
import { migrations } from './migrations/migrations.js';
import { PaymentModule } from './payment/payment.module.js';
import { PaymentProviderModule } from './payment-provider/payment-provider.module.js';
import { ProofModule } from './proof/proof.module.js';
import { PurchaseModule } from './place-order/purchase.module.js';
import { ReacquireModule } from './reacquire/reacquire.module.js';
import { ReconcileModule } from './reconcile/reconcile.module.js';
import { ReportModule } from './report/report.module.js';
import { SaleModule } from './sale/sale.module.js';
import { SettlementModule } from './settlement/settlement.module.js';
import { StuckSagaModule } from './stuck-saga/stuck-saga.module.js';
import { StockChangeModule } from './stock-change/stock-change.module.js';
import { SweeperModule } from './sweeper/sweeper.module.js';
import { WarehouseModule } from './warehouse/warehouse.module.js';
import { Warehouse } from './warehouse/warehouse.js';

/** The schema that this app owns. */
export const postgres: Omit<PostgresOptions, 'url'> = { schema: 'orders', migrations, applicationName: 'order' };

/** What happens after a reservation. Owns the Postgres schema `orders`. */
@Module({})
export class AppModule {
  /** Every consumer here works on Postgres alone (a warehouse outside is asked ahead of need): while it is away they rest, and none of their messages loses an attempt. */
  constructor(probes: ConsumerProbes, database: Database, warehouse: Warehouse) {
    for (const queue of Object.keys(queues) as QueueName[]) {
      if (queue.startsWith('order.')) probes.register(queue, () => database.reachable());
    }
    // Orders that are short of units wait until the warehouse has spoken.
    probes.register('order.place-order', async () => (await database.reachable()) && warehouse.ready());
  }

  static with(config: Pick<Config, 'DATABASE_URL' | 'CODE_KEYS' | 'CODE_FINGERPRINT_KEY'> & ProviderConfig & WarehouseConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ScheduleModule.forRoot(),
        PostgresModule.forRoot({ url: config.DATABASE_URL, ...postgres }),
        OutboxModule,
        WarehouseModule.forRoot(warehouseSettings(config)),
        CodeStoreModule.forRoot({ keys: config.CODE_KEYS, fingerprintSecret: config.CODE_FINGERPRINT_KEY }),
        PaymentProviderModule.forRoot(providerSettings(config)),
        PaymentModule, PurchaseModule, ReacquireModule, SaleModule, SweeperModule, CancelModule, DeadLetterModule, ReconcileModule, ReportModule,
        SettlementModule, StuckSagaModule, StockChangeModule, CodesModule, GaugesModule, ProofModule,
      ],
    };
  }
}
