import { Injectable, Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { ConsumerProbes, Database, OutboxModule, PostgresModule } from '@floodgate/platform';
import { AuditLogStore } from './audit-log/audit-log.store.js';
import type { Config } from './config.js';
import { Sale1764000000000 } from './migrations/1764000000000-sale.migration.js';
import { ArmConsumer } from './sale/arm.consumer.js';
import { ArmJob } from './sale/arm.job.js';
import { SaleController } from './sale/sale.controller.js';
import { SaleStore } from './sale/sale.store.js';

/** A consumer that pauses because Postgres is away looks for it by itself, and needs no message to find out. */
@Injectable()
class PostgresProbe {
  constructor(probes: ConsumerProbes, database: Database) {
    probes.register('promotion.note-armed', () => database.reachable());
  }
}

/** Sales and who decides about them. Owns the Postgres schema `promotion`. */
@Module({})
export class AppModule {
  static with(config: Pick<Config, 'DATABASE_URL'>): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ScheduleModule.forRoot(),
        PostgresModule.forRoot({ url: config.DATABASE_URL, schema: 'promotion', migrations: [Sale1764000000000], applicationName: 'promotion' }),
        OutboxModule,
      ],
      controllers: [SaleController, ArmConsumer],
      providers: [PostgresProbe, SaleStore, AuditLogStore, ArmJob],
    };
  }
}
