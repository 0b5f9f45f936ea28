import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { BuyerMessageStore } from './buyer-message.store.js';
import { Delivering } from './delivering.js';

const messagesPerClaim = 500;

/** Delivers what was kept but not delivered: after a crash between the two, or a channel that was down. */
@Injectable()
export class DeliverJob {
  private readonly logger = new Logger(DeliverJob.name);
  private running = false;

  constructor(private readonly messages: BuyerMessageStore, private readonly delivering: Delivering) {}

  @Interval(5_000)
  async tick(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      await this.deliverPending();
    } catch (error) {
      // The database is away: what is pending is found by the next tick.
      this.logger.warn(`Pending messages could not be delivered: ${String(error)}`);
    } finally {
      this.running = false;
    }
  }

  /** One claim after another until none is left. A claim of which nothing could be delivered ends it: the channel is down. */
  async deliverPending(): Promise<void> {
    for (;;) {
      const claimed = await this.messages.claim(messagesPerClaim);
      if (claimed.length === 0 || (await this.delivering.deliver(claimed)) === 0) return;
    }
  }
}
