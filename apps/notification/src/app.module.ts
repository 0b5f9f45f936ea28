import { Injectable, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { ConsumerProbes, Database, OutboxModule, PostgresModule, type PostgresOptions } from '@floodgate/platform';
import { AlertsModule } from './alerts/alerts.module.js';
import { Channel } from './channels/channel.js';
import { LogChannel } from './channels/log.channel.js';
import { MailChannel } from './channels/mail.channel.js';
import { Mailer } from './channels/mailer.js';
import type { Config } from './config.js';
import { DigestModule } from './digest/digest.module.js';
import { BuyerMessage1764000000000 } from './migrations/1764000000000-buyer-message.migration.js';
import { BuyerMessageKinds1765000001000 } from './migrations/1765000001000-buyer-message-kinds.migration.js';
import { TeamChannel1766000000000 } from './migrations/1766000000000-team-channel.migration.js';
import { Watchdog1766000001000 } from './migrations/1766000001000-watchdog.migration.js';
import { Digest1766000002000 } from './migrations/1766000002000-digest.migration.js';
import { TeamModule } from './team/team.module.js';
import { BuyerMessageStore } from './tell-buyer/buyer-message.store.js';
import { DeliverJob } from './tell-buyer/deliver.job.js';
import { Delivering } from './tell-buyer/delivering.js';
import { TellBuyerConsumer } from './tell-buyer/tell-buyer.consumer.js';

/** The schema that this app owns. */
export const postgres: Omit<PostgresOptions, 'url'> = {
  schema: 'notification', migrations: [BuyerMessage1764000000000, BuyerMessageKinds1765000001000, TeamChannel1766000000000, Watchdog1766000001000, Digest1766000002000], applicationName: 'notification',
};

/** A consumer that pauses because Postgres is away looks for it by itself, and needs no message to find out. */
@Injectable()
class PostgresProbe {
  constructor(probes: ConsumerProbes, database: Database) {
    for (const queue of ['notification.tell-buyer', 'notification.note-sale'] as const) probes.register(queue, () => database.reachable());
  }
}

/** Tells buyers what became of their reservations, and the team what it has to know. Owns the Postgres schema `notification`. */
@Module({})
export class AppModule {
  static with(config: Pick<Config, 'DATABASE_URL'> & Partial<Config>): DynamicModule {
    const team = TeamModule.with(config);
    return {
      module: AppModule,
      imports: [
        ScheduleModule.forRoot(),
        PostgresModule.forRoot({ url: config.DATABASE_URL, ...postgres }),
        OutboxModule,
        team,
        AlertsModule.with(config, team),
        DigestModule.with(config, team),
      ],
      controllers: [TellBuyerConsumer],
      providers: [PostgresProbe, BuyerMessageStore, Delivering, DeliverJob, buyerChannel(config.BUYER_MAIL)],
    };
  }
}

/** Where buyers are told: by mail, if it is configured how their addresses are made. */
function buyerChannel(template: string | undefined): Provider {
  if (template === undefined) return { provide: Channel, useClass: LogChannel };
  return { provide: Channel, useFactory: (mailer: Mailer) => new MailChannel(mailer, template), inject: [Mailer] };
}
