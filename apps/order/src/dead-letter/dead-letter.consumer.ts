import { ConsumeDeadLetters, createLogger, type DeadLetter } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { affectedOrders } from './affected-orders.js';
import { DeadLetterStore } from './dead-letter.store.js';
import { parkedMaxMinutes } from './dead-letter.timer.js';
import { ParkedOrders } from './parked-orders.js';

/** Takes the dead letters of every queue into the table. */
@Controller()
export class DeadLetterConsumer {
  private readonly log = createLogger('dead-letter');

  constructor(
    private readonly letters: DeadLetterStore,
    private readonly parked: ParkedOrders,
  ) {}

  /** Both halves bear repetition, so a crash between them, or before the acknowledgement, only repeats them. */
  @ConsumeDeadLetters()
  async keep(letters: DeadLetter[]): Promise<void> {
    for (const letter of letters) {
      const { reservationIds, placing } = affectedOrders(letter.name, letter.body);
      // First the orders, so that the letter knows whether somebody waits for it.
      if (placing) await this.parked.park(placing);
      await this.letters.keep(letter, reservationIds, parkedMaxMinutes);
      this.log.error({ queue: letter.queue, message: letter.name, messageId: letter.messageId, reason: letter.reason, lastError: letter.lastError }, 'a message became a dead letter');
    }
  }
}
