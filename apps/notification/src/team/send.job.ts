import { createLogger, errorText } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Sender } from './sender.js';
import { TeamMessageStore } from './team-message.store.js';

/** Sends what waits. Several instances share the channels: one sends to each at a time. */
@Injectable()
export class SendJob {
  private readonly log = createLogger('team');
  private running = false;

  constructor(private readonly sender: Sender, private readonly messages: TeamMessageStore) {}

  @Interval(1_000)
  async tick(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      await this.sender.sendAll();
    } catch (error) {
      // The database is away: what waits is found by a later tick.
      this.log.warn(`messages to the team could not be sent: ${errorText(error)}`);
    } finally {
      this.running = false;
    }
  }

  @Interval(60_000)
  async tidy(): Promise<void> {
    try {
      for (const { channel, count } of await this.messages.giveUp()) this.log.error({ channel, count }, 'messages to the team were taken by nobody for a day and are given up');
      await this.messages.forget();
    } catch (error) {
      this.log.warn(`messages to the team could not be tidied up: ${errorText(error)}`);
    }
  }
}
