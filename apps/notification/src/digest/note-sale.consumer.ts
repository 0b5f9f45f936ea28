import { Consume, type DeliveryOf } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { DigestStore } from './digest.store.js';

/** Hears of the sales that there will be digests of. */
@Controller()
export class NoteSaleConsumer {
  constructor(private readonly digests: DigestStore) {}

  @Consume('notification.note-sale')
  async note(messages: DeliveryOf<'notification.note-sale'>[]): Promise<void> {
    for (const { name, body } of messages) {
      if (name === 'sale.approved') await this.digests.noteSale(body);
      else await this.digests.noteState(body.saleId, body.version, body.state);
    }
  }
}
