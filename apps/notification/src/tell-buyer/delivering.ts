import { Injectable, Logger } from '@nestjs/common';
import { Channel, type BuyerMessage } from '../channels/channel.js';
import { BuyerMessageStore } from './buyer-message.store.js';

/** Hands claimed messages to the channel and notes what was delivered. */
@Injectable()
export class Delivering {
  private readonly logger = new Logger(Delivering.name);

  constructor(private readonly channel: Channel, private readonly messages: BuyerMessageStore) {}

  /**
   * Delivers in the given order. A message that cannot be delivered stays pending and is tried again when its claim has passed,
   * so a channel that is down delays buyers' news and nothing else.
   * @returns how many were delivered
   */
  async deliver(claimed: readonly BuyerMessage[]): Promise<number> {
    const delivered: BuyerMessage[] = [];
    let firstError: unknown;
    for (const message of claimed) {
      try {
        await this.channel.deliver(message);
        delivered.push(message);
      } catch (error) {
        firstError ??= error;
      }
    }
    if (delivered.length < claimed.length) {
      this.logger.warn(`${claimed.length - delivered.length} messages could not be delivered and will be tried again: ${String(firstError)}`);
    }
    await this.messages.noteDelivered(delivered);
    return delivered.length;
  }
}
