import { Injectable, Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { ConsumerProbes, Database, OutboxModule, PostgresModule, type PostgresOptions } from '@floodgate/platform';
import { AudienceController } from './audience/audience.controller.js';
import { AudienceMembers } from './audience/audience.members.js';
import { AudienceStore } from './audience/audience.store.js';
import { AuditLogController } from './audit-log/audit-log.controller.js';
import { AuditLogStore } from './audit-log/audit-log.store.js';
import { AbuseStore } from './block-list/abuse.store.js';
import { BlockListController } from './block-list/block-list.controller.js';
import { BlockListStore } from './block-list/block-list.store.js';
import type { Config } from './config.js';
import { Sale1764000000000 } from './migrations/1764000000000-sale.migration.js';
import { Switch1765000007000 } from './migrations/1765000007000-switch.migration.js';
import { AuditLog1765000008001 } from './migrations/1765000008001-audit-log.migration.js';
import { BlockList1765000008002 } from './migrations/1765000008002-block-list.migration.js';
import { Preflight1765000008003 } from './migrations/1765000008003-preflight.migration.js';
import { Audience1765000008004 } from './migrations/1765000008004-audience.migration.js';
import { OutboxOrigin1765000011001 } from './migrations/1765000011001-outbox-origin.migration.js';
import { ArmConsumer } from './sale/arm.consumer.js';
import { ArmJob } from './sale/arm.job.js';
import { PreflightFacts } from './sale/preflight.facts.js';
import { SaleController } from './sale/sale.controller.js';
import { SaleStore } from './sale/sale.store.js';
import { StockConsumer } from './sale/stock.consumer.js';
import { SwitchController } from './switches/switch.controller.js';
import { PRODUCTION, SwitchStore } from './switches/switch.store.js';

const migrations = [Sale1764000000000, Switch1765000007000, AuditLog1765000008001, BlockList1765000008002, Preflight1765000008003, Audience1765000008004, OutboxOrigin1765000011001];
/** The schema that this app owns. */
export const postgres: Omit<PostgresOptions, 'url'> = { schema: 'promotion', migrations, applicationName: 'promotion' };
const production = (config: Partial<Config>) => ({ provide: PRODUCTION, useValue: config.NODE_ENV === 'production' });

/** A consumer that pauses because Postgres is away looks for it by itself, and needs no message to find out. */
@Injectable()
class PostgresProbe {
  constructor(probes: ConsumerProbes, database: Database) {
    for (const queue of ['promotion.note-armed', 'promotion.note-act', 'promotion.note-stock'] as const) probes.register(queue, () => database.reachable());
  }
}

/** Sales and who decides about them. Owns the Postgres schema `promotion`. */
@Module({})
export class AppModule {
  static with(config: Pick<Config, 'DATABASE_URL'> & Partial<Config>): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ScheduleModule.forRoot(),
        PostgresModule.forRoot({ url: config.DATABASE_URL, ...postgres }),
        OutboxModule,
      ],
      controllers: [SaleController, ArmConsumer, StockConsumer, AuditLogController, BlockListController, AudienceController, SwitchController],
      providers: [PostgresProbe, SaleStore, AuditLogStore, PreflightFacts, ArmJob, BlockListStore, AbuseStore, AudienceMembers, AudienceStore, SwitchStore, production(config)],
    };
  }
}
