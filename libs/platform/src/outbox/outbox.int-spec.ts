import { Controller, Module } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { AmqpServer, AmqpServerParts } from '../messaging/amqp.server.js';
import { Consume, type DeliveryOf } from '../messaging/handler.decorators.js';
import { PlatformMessagingModule } from '../messaging/messaging.module.js';
import { Publisher } from '../messaging/publisher.js';
import { BrokerNames } from '../messaging/topology.declaration.js';
import { Database } from '../postgres/database.js';
import { PostgresModule } from '../postgres/postgres.module.js';
import { Shutdown } from '../shutdown/shutdown.js';
import { eventually, gate } from '../support/eventually.js';
import { RETRY_DELAYS_MS, dropNamespace, laneLoaded, testUrl, withChannel } from '../support/messaging.harness.js';
import { createDatabase } from '../support/service.harness.js';
import { TcpProxy } from '../support/tcp.proxy.js';
import { wholeOf, workFor } from '../telemetry/work.js';
import { Inbox } from './inbox.js';
import { OutboxModule } from './outbox.module.js';
import { OutboxRelay } from './outbox.relay.js';
import { inboxTableSql, outboxOriginSql, outboxTableSql } from './outbox.sql.js';
import { Outbox } from './outbox.js';

class CreateBoxes1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(outboxTableSql);
    await runner.query(outboxOriginSql);
    await runner.query(inboxTableSql);
  }

  async down(): Promise<void> {}
}

let seen: DeliveryOf<'order.note-loaded'>[];

@Controller()
class Listener {
  @Consume('order.note-loaded')
  async note(messages: DeliveryOf<'order.note-loaded'>[]): Promise<void> {
    seen.push(...messages);
  }
}

describe('outbox and inbox', () => {
  const proxy = new TcpProxy(new URL(testUrl('TEST_AMQP_URL')));
  let disposable: Awaited<ReturnType<typeof createDatabase>>;
  let namespace: string;
  let app: NestFastifyApplication;
  let server: AmqpServer;

  beforeAll(async () => {
    disposable = await createDatabase();
    namespace = disposable.name;
    const url = await proxy.start();

    @Module({
      imports: [
        PlatformMessagingModule.forRoot({ url, namespace, service: 'test', retryDelaysMs: RETRY_DELAYS_MS }),
        PostgresModule.forRoot({ url: disposable.url, schema: 'boxes', applicationName: 'test', migrations: [CreateBoxes1700000000000] }),
        OutboxModule,
      ],
      controllers: [Listener],
    })
    class TestModule {}

    app = (await Test.createTestingModule({ imports: [TestModule] }).compile()).createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    server = new AmqpServer(app.get(AmqpServerParts));
    app.connectMicroservice({ strategy: server });
    await app.init();
    await app.startAllMicroservices();
  });

  beforeEach(async () => {
    seen = [];
    await eventually(() => expect([app.get(Publisher).state, server.ready()]).toEqual(['up', true]));
  });

  afterEach(async () => {
    await eventually(async () => expect(await app.get(OutboxRelay).pending()).toBe(0), 20_000);
  });

  afterAll(async () => {
    await server.close();
    await app.get(Shutdown).run('drain');
    await app.close();
    await proxy.stop();
    await dropNamespace(namespace);
    await disposable.drop();
  });

  const add = (...epochs: number[]) => app.get(Database).transaction((tx) => app.get(Outbox).add(tx, 'lane.loaded', epochs.map(laneLoaded)));
  const epochs = () => [...new Set(seen.map(({ body }) => body.epoch))].sort((a, b) => a - b);

  it('what is committed goes out, once each, and is forgotten', async () => {
    const all = Array.from({ length: 450 }, (_, index) => index + 1);
    await add(...all);
    await eventually(() => expect(epochs()).toEqual(all));
    await eventually(async () => expect(await app.get(OutboxRelay).pending()).toBe(0));
    expect(new Set(seen.map(({ messageId }) => messageId)).size).toBe(all.length);
  });

  it('says which request a message comes from, whoever wakes the relay', async () => {
    await wholeOf(workFor('request-1'), () => add(1));
    await add(2);
    await eventually(() => expect(seen.map(({ body, requestId }) => `${body.epoch} ${requestId}`).sort()).toEqual(['1 request-1', '2 undefined']));
  });

  it('what is rolled back does not', async () => {
    await app.get(Database).transaction(async (tx) => {
      await app.get(Outbox).add(tx, 'lane.loaded', [laneLoaded(1)]);
      throw new Error('no');
    }).catch(() => undefined);
    await add(2);
    await eventually(() => expect(epochs()).toEqual([2]));
  });

  it('a row that commits after a later one is not passed over', async () => {
    const { opened, open } = gate();
    const slow = app.get(Database).transaction(async (tx) => {
      await app.get(Outbox).add(tx, 'lane.loaded', [laneLoaded(1)]);
      await opened;
    });
    await eventually(async () => {
      await add(2);
      expect(epochs()).toContain(2);
    });
    open();
    await slow;
    await eventually(() => expect(epochs()).toEqual([1, 2]));
  });

  it('waits while the broker is away', async () => {
    proxy.refuse();
    await add(1, 2, 3);
    await eventually(() => expect(app.get(Publisher).state).toBe('down'));
    expect(await app.get(OutboxRelay).pending()).toBe(3);
    proxy.accept();
    await eventually(() => expect(epochs()).toEqual([1, 2, 3]), 20_000);
  });

  it('one that cannot be routed does not stand before the others', async () => {
    const names = new BrokerNames(namespace, RETRY_DELAYS_MS);
    await withChannel((channel) => channel.unbindQueue(names.queue('order.place-order'), names.exchange('messages'), 'place-order'));
    await app.get(Database).transaction((tx) => app.get(Outbox).add(tx, 'place-order', [{
      saleId: 's', lane: 0, epoch: 1,
      reservations: [{ rid: 'r', accountId: 'a', ipHash: '', items: [{ itemId: 'i', quantity: 1 }], number: 1, reservedAtMs: 1 }],
    }]));
    await add(5);
    await eventually(() => expect(epochs()).toEqual([5]));
  });

  it('the inbox knows a message the second time, per consumer, if its effect was committed', async () => {
    const first = (consumer: string) => app.get(Database).transaction((tx) => app.get(Inbox).firstTime(tx, consumer, 'm1'));
    await app.get(Database).transaction(async (tx) => {
      await app.get(Inbox).firstTime(tx, 'one', 'm1');
      throw new Error('no effect');
    }).catch(() => undefined);
    expect([await first('one'), await first('one'), await first('two')]).toEqual([true, false, true]);
  });
});
