import { Controller } from '@nestjs/common';
import type { MessageName } from '@floodgate/contracts';
import { Consume, type Delivery } from '@floodgate/platform';
import type { BuyerMessage } from '../channels/channel.js';
import { BuyerMessageStore, type News } from './buyer-message.store.js';
import { Delivering } from './delivering.js';
import { sentences } from './sentences.js';

type Told = 'order.created' | 'order.paid' | 'order.fulfilled' | 'order.replaced' | 'payment.returned' | 'order.closed';

const kinds = {
  'order.created': 'created', 'order.paid': 'paid', 'order.fulfilled': 'fulfilled', 'order.replaced': 'replaced', 'payment.returned': 'returned', 'order.closed': 'closed',
} as const satisfies
  Record<Told & MessageName, BuyerMessage['kind']>;

/**
 * Tells each buyer what became of an order. A message is settled when its news are in the table; from there they are delivered
 * at once, or by the job if this process dies first.
 */
@Controller()
export class TellBuyerConsumer {
  constructor(private readonly messages: BuyerMessageStore, private readonly delivering: Delivering) {}

  @Consume('notification.tell-buyer', { batch: { sizeMax: 50, waitMs: 20 } })
  async tell(deliveries: Delivery<Told>[]): Promise<void> {
    const news = deliveries.flatMap(newsOf).sort((a, b) => a.version - b.version);
    await this.delivering.deliver(await this.messages.add(news));
  }
}

function newsOf({ name, body }: Delivery<Told>): News[] {
  const kind = kinds[name];
  return body.orders.map((order) => ({
    rid: order.rid, kind, accountId: order.accountId, version: order.version, body: sentences[kind](order),
  }));
}
