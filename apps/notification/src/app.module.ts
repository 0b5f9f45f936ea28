import { Injectable, Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { ConsumerProbes, Database, PostgresModule, type PostgresOptions } from '@floodgate/platform';
import { Channel } from './channels/channel.js';
import { LogChannel } from './channels/log.channel.js';
import type { Config } from './config.js';
import { BuyerMessage1764000000000 } from './migrations/1764000000000-buyer-message.migration.js';
import { BuyerMessageKinds1765000001000 } from './migrations/1765000001000-buyer-message-kinds.migration.js';
import { BuyerMessageStore } from './tell-buyer/buyer-message.store.js';
import { DeliverJob } from './tell-buyer/deliver.job.js';
import { Delivering } from './tell-buyer/delivering.js';
import { TellBuyerConsumer } from './tell-buyer/tell-buyer.consumer.js';

/** The schema that this app owns. */
export const postgres: Omit<PostgresOptions, 'url'> = {
  schema: 'notification', migrations: [BuyerMessage1764000000000, BuyerMessageKinds1765000001000], applicationName: 'notification',
};

/** A consumer that pauses because Postgres is away looks for it by itself, and needs no message to find out. */
@Injectable()
class PostgresProbe {
  constructor(probes: ConsumerProbes, database: Database) {
    probes.register('notification.tell-buyer', () => database.reachable());
  }
}

/** Tells buyers what became of their reservations. Owns the Postgres schema `notification`. */
@Module({})
export class AppModule {
  static with(config: Pick<Config, 'DATABASE_URL'>): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ScheduleModule.forRoot(),
        PostgresModule.forRoot({ url: config.DATABASE_URL, ...postgres }),
      ],
      controllers: [TellBuyerConsumer],
      providers: [PostgresProbe, BuyerMessageStore, Delivering, DeliverJob, { provide: Channel, useClass: LogChannel }],
    };
  }
}
