import { randomUUID } from 'node:crypto';

import { exchanges, queues, type QueueName } from '@floodgate/contracts';
import { connect, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';

import type { Arena } from './arena.js';

/** More than that of one stretch is not kept. */
const copiesMax = 2_000;

/** Everything that is published for a while comes once more, the newest first: twice, and in the wrong order. Resolves to how many messages it were. */
export async function messagesAgain(arena: Arena, { lastsMs }: { lastsMs: number }): Promise<number> {
  return await atTheBroker(arena, async (channel, exchange) => {
    const copies: ConsumeMessage[] = [];
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
    await channel.bindQueue(queue, exchange, '#');
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (message && copies.length < copiesMax) copies.push(message);
    }, { noAck: true });
    await arena.pauses.sleep(lastsMs);
    await channel.cancel(consumerTag);
    for (const { content, fields, properties } of copies.toReversed()) {
      const { type, messageId, contentType, headers } = properties as { type: string; messageId: string; contentType: string; headers: Record<string, unknown> };
      channel.publish(exchange, fields.routingKey, content, { type, messageId, contentType, headers, deliveryMode: 2 });
    }
    return copies.length;
  });
}

/** What no consumer can read, one of each sort for each queue; every one must end as a dead letter. Resolves to how many messages it were. */
export async function poison(arena: Arena): Promise<number> {
  const sorts = [
    { type: '', v: 1, body: '{"half a' },
    { type: '', v: 99, body: '{}' },
    { type: 'no-such-message', v: 1, body: '{}' },
    { type: '', v: 1, body: '{"neither":"this"}' },
  ] as const;
  const names = Object.keys(queues) as QueueName[];
  return await atTheBroker(arena, async (channel) => {
    for (const name of names) {
      for (const { type, v, body } of sorts) {
        // Into the queue itself: by its routing key it would reach others, and be counted there too.
        channel.sendToQueue(`${arena.namespace}.${name}`, Buffer.from(body), {
          type: type || queues[name].binds[0], messageId: `${poisonPrefix}${randomUUID()}`, contentType: 'application/json', headers: { v, occurredAt: Date.now(), attempt: 1 }, deliveryMode: 2,
        });
      }
    }
    return names.length * sorts.length;
  });
}

/** How the ids of poisonous messages begin. */
export const poisonPrefix = 'poison-';

async function atTheBroker(arena: Arena, act: (channel: ConfirmChannel, exchange: string) => Promise<number>): Promise<number> {
  const connection: ChannelModel = await connect(arena.platform.run.rabbitmq.url);
  connection.on('error', () => undefined); // the next call says it
  try {
    const channel = await connection.createConfirmChannel();
    const count = await act(channel, `${arena.namespace}.${exchanges.messages}`);
    await channel.waitForConfirms();
    return count;
  } finally {
    await connection.close();
  }
}
