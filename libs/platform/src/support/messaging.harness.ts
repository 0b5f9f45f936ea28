import { randomUUID } from 'node:crypto';
import { queues, type MessageBody, type QueueName } from '@floodgate/contracts';
import { ConsoleLogger, type Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import amqp, { type ChannelModel } from 'amqplib';
import { AmqpServer, AmqpServerParts } from '../messaging/amqp.server.js';
import { Broker } from '../messaging/broker.js';
import { PlatformMessagingModule } from '../messaging/messaging.module.js';
import { Publisher } from '../messaging/publisher.js';
import { QueueInspector } from '../messaging/queue.inspector.js';
import { RequestClient } from '../messaging/request.client.js';
import { BrokerNames } from '../messaging/topology.declaration.js';
import { eventually } from './eventually.js';

/** For tests: short enough to see a message die. */
export const RETRY_DELAYS_MS = [30, 60] as const;

export const testUrl = (name: 'TEST_AMQP_URL' | 'TEST_DATABASE_URL' | 'TEST_REDIS_URL'): string => {
  const url = process.env[name];
  if (!url) throw new Error(`${name} is not set: start the servers with "npm run up", or run "npm test"`);
  return url;
};

// Failures are what these tests are about; set TEST_LOGS to read them.
const logger = new ConsoleLogger({ logLevels: process.env.TEST_LOGS ? ['log', 'warn', 'error'] : [], colors: false });

/** A service in a namespace of its own. */
export class MessagingHarness {
  readonly names: BrokerNames;

  private constructor(readonly app: NestFastifyApplication, readonly server: AmqpServer, readonly namespace: string) {
    this.names = new BrokerNames(namespace, RETRY_DELAYS_MS);
  }

  static async start(options: { controllers?: Type[]; url?: string; namespace?: string; service?: string } = {}): Promise<MessagingHarness> {
    const namespace = options.namespace ?? `test-${randomUUID()}`;
    const messaging = PlatformMessagingModule.forRoot({ url: options.url ?? testUrl('TEST_AMQP_URL'), namespace, service: options.service ?? 'test', retryDelaysMs: RETRY_DELAYS_MS });
    const module = await Test.createTestingModule({ imports: [messaging], controllers: options.controllers ?? [] }).setLogger(logger).compile();
    const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    const server = new AmqpServer(app.get(AmqpServerParts));
    app.connectMicroservice({ strategy: server });
    await app.init();
    await app.startAllMicroservices();
    return new MessagingHarness(app, server, namespace);
  }

  get publisher(): Publisher { return this.app.get(Publisher); }
  get client(): RequestClient { return this.app.get(RequestClient); }
  get inspector(): QueueInspector { return this.app.get(QueueInspector); }
  get broker(): Broker { return this.app.get(Broker); }

  async ready(): Promise<this> {
    await eventually(() => {
      if (this.publisher.state !== 'up' || this.client.state !== 'up' || !this.server.ready()) throw new Error('not ready');
    });
    return this;
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.app.close();
  }
}

/** A link beside the service's own, for looking and for doing harm. */
export async function withBroker<T>(work: (model: ChannelModel) => Promise<T>): Promise<T> {
  const model = await amqp.connect(testUrl('TEST_AMQP_URL'), { noDelay: true });
  model.on('error', () => undefined);
  try {
    return await work(model);
  } finally {
    await model.close();
  }
}

export const withChannel = <T>(work: (channel: amqp.ConfirmChannel) => Promise<T>): Promise<T> =>
  withBroker(async (model) => {
    const channel = await model.createConfirmChannel();
    channel.on('error', () => undefined);
    return work(channel);
  });

/** Removes everything of a namespace. */
export async function dropNamespace(namespace: string): Promise<void> {
  const names = new BrokerNames(namespace, RETRY_DELAYS_MS);
  await withChannel(async (channel) => {
    for (const queue of Object.keys(queues) as QueueName[]) {
      for (const name of [names.queue(queue), names.dead(queue), ...RETRY_DELAYS_MS.map((delay) => names.retry(queue, delay))]) await channel.deleteQueue(name);
    }
    for (const exchange of ['messages', 'board'] as const) await channel.deleteExchange(names.exchange(exchange));
  });
}

export const laneLoaded = (epoch: number): MessageBody<'lane.loaded'> => ({ saleId: 'sale1', lane: 0, epoch });

export const placeOrder = (...rids: string[]): MessageBody<'place-order'> => ({
  saleId: 'sale1', lane: 0, epoch: 1,
  reservations: rids.map((rid, index) => ({ rid, accountId: `account-${index}`, ipHash: '', items: [{ itemId: 'sale1-1', quantity: 1 }], number: index + 1, reservedAtMs: 1 })),
});
