import { randomUUID } from 'node:crypto';
import {
  deadLetterQueue, exchanges, queues, retryDelaysMs, retryQueue,
  type InstanceQueueName, type Queue, type QueueName, type RequestQueueName,
} from '@floodgate/contracts';
import type { Channel } from 'amqplib';

/**
 * A broker's own limit of deliveries must never decide: it counts crashes and connection losses, hits whole prefetch windows, and
 * differs between versions (none in 3.10, 20 since 4.0). So it is set beyond reach, and what reached it would be a dead letter.
 */
const DELIVERY_LIMIT = 100_000;

/**
 * A quorum queue that is made again within some 50 ms of its deletion gets consumers that nobody told: they are counted, are sent
 * messages, and never see them (seen on 3.10). So whoever finds a queue gone waits this long before declaring it.
 */
export const QUEUE_REST_MS = 500;

/** Names as the broker knows them: the namespace, a dot, the name in the table. */
export class BrokerNames {
  constructor(readonly namespace: string, readonly retryDelays: readonly number[] = retryDelaysMs) {}

  exchange(name: 'messages' | 'board'): string {
    return `${this.namespace}.${exchanges[name]}`;
  }

  queue(name: QueueName | RequestQueueName): string {
    return `${this.namespace}.${name}`;
  }

  retry(name: QueueName, delayMs: number): string {
    return `${this.namespace}.${retryQueue(name, delayMs)}`;
  }

  dead(name: QueueName): string {
    return `${this.namespace}.${deadLetterQueue(name)}`;
  }

  /** A new name each time: the queue of a broken connection may still stand for a moment. */
  instance(name: InstanceQueueName | 'board'): string {
    return `${this.namespace}.${name}.${randomUUID()}`;
  }

  /** Where a message waits after its attempt-th delivery failed. */
  tierOf(name: QueueName, attempt: number): string {
    const delay = this.retryDelays[Math.min(attempt, this.retryDelays.length) - 1];
    if (delay === undefined) throw new Error('there are no retry tiers');
    return this.retry(name, delay);
  }
}

/**
 * Declares the exchanges and every queue of the table with its retry tiers and dead-letter queue. Idempotent; every service does it
 * whenever it connects, so the order of starts does not matter and a deleted queue comes back.
 *
 * `messages` has no alternate exchange on purpose: with one, a message that nobody is bound for counts as routed, `mandatory`
 * returns nothing, and a reservation would be acknowledged though no order will ever be made of it (seen on 3.10). Without it the
 * publisher gets UNROUTABLE, keeps the message, and declares everything again.
 */
export async function declareTopology(channel: Channel, names: BrokerNames): Promise<void> {
  await declareExchanges(channel, names);
  for (const name of Object.keys(queues) as QueueName[]) await declareQueue(channel, names, name);
}

export async function declareExchanges(channel: Channel, names: BrokerNames): Promise<void> {
  await channel.assertExchange(names.exchange('messages'), 'topic', { durable: true });
  await channel.assertExchange(names.exchange('board'), 'fanout', { durable: true });
}

/**
 * One row: the dead-letter queue, the work queue with its binds, a queue per retry delay (a broker looks only at the head of a
 * queue for what has expired, so each delay needs its own) that leads back to the work queue.
 */
export async function declareQueue(channel: Channel, names: BrokerNames, name: QueueName): Promise<void> {
  const row: Queue = queues[name];
  await channel.assertQueue(names.dead(name), { durable: true, arguments: { 'x-queue-type': 'quorum', ...endless } });
  await channel.assertQueue(names.queue(name), {
    durable: true,
    arguments: { 'x-queue-type': 'quorum', ...endless, ...deadLetteringTo(names.dead(name)) },
  });
  for (const message of row.binds) await channel.bindQueue(names.queue(name), names.exchange('messages'), message);
  for (const delayMs of names.retryDelays) {
    await channel.assertQueue(names.retry(name, delayMs), {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', 'x-message-ttl': delayMs, ...deadLetteringTo(names.queue(name)) },
    });
  }
}

const endless = { 'x-delivery-limit': DELIVERY_LIMIT };

/** To a queue by the default exchange, kept here until the target has confirmed it; at-least-once needs reject-publish. */
const deadLetteringTo = (queue: string) => ({
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': queue,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
});

/**
 * Where requests wait for whoever answers: gone with the last consumer, so that the asker of an absent service knows at once.
 * Durable only in name (nothing in it is): newer brokers refuse transient queues that are not exclusive. `x-expires` removes what
 * a restart of the broker would bring back without a consumer.
 */
export async function declareRequestQueue(channel: Channel, names: BrokerNames, name: RequestQueueName): Promise<string> {
  const queue = names.queue(name);
  await channel.assertQueue(queue, { durable: true, autoDelete: true, arguments: { 'x-expires': 10_000, 'x-max-length': 10_000 } });
  return queue;
}

/** A queue that lives and dies with this connection; when its owner is too slow, the oldest hints go. */
export async function declareHintQueue(channel: Channel, queue: string, lengthMax: number): Promise<void> {
  await channel.assertQueue(queue, { exclusive: true, autoDelete: true, durable: false, arguments: { 'x-max-length': lengthMax } });
}
