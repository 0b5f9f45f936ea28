import { randomBytes } from 'node:crypto';
import type { MessageBody, MessageName } from '@floodgate/contracts';
import type { DynamicModule, Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import amqp from 'amqplib';
import { Client } from 'pg';
import { AmqpServer, AmqpServerParts } from '../messaging/amqp.server.js';
import { PlatformMessagingModule } from '../messaging/messaging.module.js';
import { Publisher } from '../messaging/publisher.js';
import { RequestClient } from '../messaging/request.client.js';
import { BrokerNames } from '../messaging/topology.declaration.js';
import { ServiceModule } from '../shutdown/service.module.js';
import { Shutdown } from '../shutdown/shutdown.js';
import { eventually } from './eventually.js';
import { RETRY_DELAYS_MS, dropNamespace, testUrl } from './messaging.harness.js';

/** A database and a namespace of the broker. */
export interface Place {
  readonly databaseUrl: string;
  readonly namespace: string;
}

/** A message that left the service, as a listener would get it. */
export type Heard = { [N in MessageName]: { name: N; body: MessageBody<N> } }[MessageName];

export interface RunningService {
  app: NestFastifyApplication;
  client: RequestClient;
  publisher: Publisher;
  /** Every message of the namespace since the start, in order of arrival. */
  heard: Heard[];
  /** Where it runs: for another instance beside it. */
  readonly place: Place;
  get<T>(token: Type<T> | (abstract new (...args: never[]) => T)): T;
  /** Stops the service and removes its database and queues. */
  stop(): Promise<void>;
}

/**
 * Runs an app's own module for an int-spec, on real servers: with a database and a namespace of its own, and somebody who hears
 * every message.
 * @param configure overrides providers, such as the clock or a channel
 * @param beside the place of a running service, to be another instance of it: stop this one first
 */
export async function startService(
  appModule: (urls: { DATABASE_URL: string }) => Type | DynamicModule,
  configure: (builder: TestingModuleBuilder) => TestingModuleBuilder = (builder) => builder,
  beside?: Place,
): Promise<RunningService> {
  const database = beside ? null : await createDatabase();
  const { databaseUrl, namespace } = beside ?? { databaseUrl: database!.url, namespace: database!.name };
  const messaging = PlatformMessagingModule.forRoot({ url: testUrl('TEST_AMQP_URL'), namespace, service: 'test', retryDelaysMs: RETRY_DELAYS_MS });
  const builder = Test.createTestingModule({ imports: [ServiceModule, messaging, appModule({ DATABASE_URL: databaseUrl })] });
  const module = await configure(builder).compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: process.env.TEST_LOGS ? ['log', 'warn', 'error'] : false });
  const server = new AmqpServer(app.get(AmqpServerParts, { strict: false }));
  app.connectMicroservice({ strategy: server });
  await app.init();
  await app.startAllMicroservices();
  const client = app.get(RequestClient, { strict: false });
  const publisher = app.get(Publisher, { strict: false });
  await eventually(() => {
    if (publisher.state !== 'up' || client.state !== 'up' || !server.ready()) throw new Error('not ready');
  });
  const listener = await listen(namespace);
  return {
    app, client, publisher, heard: listener.heard, place: { databaseUrl, namespace },
    get: (token) => app.get(token as Type, { strict: false }),
    stop: async () => {
      const shutdown = app.get(Shutdown, { strict: false });
      await shutdown.run('intake');
      await server.close();
      await shutdown.run('drain');
      await app.close();
      await listener.close();
      if (!database) return;
      await dropNamespace(namespace);
      await database.drop();
    },
  };
}

/** A new, empty database. */
export async function createDatabase(): Promise<{ name: string; url: string; drop: () => Promise<void> }> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const url = new URL(testUrl('TEST_DATABASE_URL'));
  const administer = async (statement: string): Promise<void> => {
    const client = new Client({ connectionString: testUrl('TEST_DATABASE_URL') });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await administer(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  return { name, url: url.toString(), drop: () => administer(`DROP DATABASE ${name} WITH (FORCE)`) };
}

async function listen(namespace: string): Promise<{ heard: Heard[]; close: () => Promise<void> }> {
  const heard: Heard[] = [];
  const model = await amqp.connect(testUrl('TEST_AMQP_URL'));
  const channel = await model.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, new BrokerNames(namespace).exchange('messages'), '#');
  await channel.consume(queue, (message) => {
    if (message) heard.push({ name: message.fields.routingKey, body: JSON.parse(message.content.toString('utf8')) } as Heard);
  }, { noAck: true });
  return { heard, close: () => model.close() };
}
