import { OutboundClient } from '@floodgate/platform';
import { Module, type DynamicModule } from '@nestjs/common';
import { Mailer } from '../channels/mailer.js';
import { mailOptions, type Config } from '../config.js';
import { ChannelCheck } from './channel.check.js';
import { ChannelController } from './channel.controller.js';
import { ChannelDesk } from './channel.desk.js';
import { ChannelStore } from './channel.store.js';
import { SendJob } from './send.job.js';
import { Sender } from './sender.js';
import { TeamMessageStore } from './team-message.store.js';

/** Tells the team: the channels, and what waits for them. */
@Module({})
export class TeamModule {
  static with(config: Partial<Config>): DynamicModule {
    return {
      module: TeamModule,
      controllers: [ChannelController],
      providers: [
        ChannelStore, TeamMessageStore, ChannelCheck, ChannelDesk, Sender, SendJob,
        { provide: Mailer, useValue: new Mailer(mailOptions(config)) },
        // What operators enter leads to the open internet or nowhere; a developer's own machine may be tried with a listener on loopback.
        { provide: OutboundClient, useValue: new OutboundClient({ reach: config.NODE_ENV === 'production' ? 'public' : 'any' }) },
      ],
      exports: [TeamMessageStore, Mailer],
    };
  }
}
