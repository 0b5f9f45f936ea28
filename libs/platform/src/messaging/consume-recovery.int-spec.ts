import type { QueueName } from '@floodgate/contracts';
import { Controller } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, gate } from '../support/eventually.js';
import { MessagingHarness, RETRY_DELAYS_MS, dropNamespace, laneLoaded, placeOrder, testUrl, withChannel } from '../support/messaging.harness.js';
import { TcpProxy } from '../support/tcp.proxy.js';
import { Broker } from './broker.js';
import { ConsumerWatchdog } from './consumer.watchdog.js';
import { Consume, type DeliveryOf } from './handler.decorators.js';
import { QueueConsumer } from './queue.consumer.js';
import { QueueInspector } from './queue.inspector.js';

let onLoaded: (epoch: number) => Promise<void>;
let onPlaced: (batch: DeliveryOf<'order.place-order'>[]) => Promise<void>;

@Controller()
class TestConsumers {
  @Consume('order.note-loaded')
  async noteLoaded([message]: DeliveryOf<'order.note-loaded'>[]): Promise<void> {
    await onLoaded(message!.body.epoch);
  }

  @Consume('order.place-order', { batch: { sizeMax: 4, waitMs: 10_000 } })
  async placeOrder(batch: DeliveryOf<'order.place-order'>[]): Promise<void> {
    await onPlaced(batch);
  }
}

describe('a consumer comes back', () => {
  const proxy = new TcpProxy(new URL(testUrl('TEST_AMQP_URL')));
  let url: string;
  let namespace: string;
  let service: MessagingHarness;

  beforeAll(async () => {
    url = await proxy.start();
  });

  beforeEach(async () => {
    onLoaded = () => Promise.resolve();
    onPlaced = () => Promise.resolve();
    service = await (await MessagingHarness.start({ url, controllers: [TestConsumers], ...(namespace ? { namespace } : {}) })).ready();
    namespace = service.namespace;
  });

  afterEach(() => service.close());

  afterAll(async () => {
    await proxy.stop();
    await dropNamespace(namespace);
  });

  const send = (epoch: number) => service.publisher.publish('lane.loaded', laneLoaded(epoch));
  const consumers = async (queue: QueueName) => (await withChannel((channel) => channel.checkQueue(service.names.queue(queue)))).consumerCount;

  it('after each of many cuts, and with one subscription', async () => {
    const seen = new Set<number>();
    onLoaded = async (epoch) => { seen.add(epoch); };
    for (let round = 1; round <= 5; round++) {
      proxy.cut();
      await eventually(() => send(round));
      await eventually(() => expect([...seen]).toContain(round));
    }
    await eventually(async () => expect(await consumers('order.note-loaded')).toBe(1));
  });

  it('gets again what it could not acknowledge, and acknowledges nothing on another channel', async () => {
    const { opened, open } = gate();
    const seen: number[] = [];
    onLoaded = async (epoch) => {
      seen.push(epoch);
      if (seen.length === 1) await opened;
    };
    await send(1);
    await eventually(() => expect(seen).toEqual([1]));
    proxy.cut();
    await eventually(() => expect(seen).toEqual([1, 1]));
    open();
    await eventually(() => send(2));
    await eventually(() => expect(seen).toEqual([1, 1, 2]));
    expect(await service.inspector.queueDepths(['order.note-loaded'])).toEqual({ 'order.note-loaded': { ready: 0, unsettled: 0 } });
  });

  it('a service may start before its broker', async () => {
    await service.close();
    proxy.refuse();
    service = await MessagingHarness.start({ url, namespace, controllers: [TestConsumers] });
    expect([service.publisher.state, service.server.ready()]).toEqual(['down', false]);
    proxy.accept();
    await service.ready();
    await send(1);
  });

  it('an error of one channel leaves the others alone', async () => {
    const before = service.broker.consume.model;
    let cancelled = 0;
    service.broker.consume.on('down', () => { cancelled++; });
    await withChannel((channel) => channel.deleteQueue(service.names.queue('order.note-loaded')));
    await eventually(async () => expect(await consumers('order.note-loaded')).toBe(1));
    expect([service.broker.consume.model === before, cancelled]).toEqual([true, 0]);
  });

  it('on close finishes what it was given, the half-collected batch too, and leaves nothing unsettled', async () => {
    const { opened, open } = gate();
    const placed: number[] = [];
    let started = 0;
    onLoaded = async () => {
      started++;
      await opened;
    };
    onPlaced = async (batch) => { placed.push(batch.length); };
    await send(1);
    await service.publisher.publish('place-order', placeOrder('half'));
    await eventually(async () => {
      expect(started).toBe(1);
      expect((await service.inspector.queueDepths(['order.place-order']))['order.place-order']).toEqual({ ready: 0, unsettled: 1 });
    });
    const closing = service.server.close();
    // The half batch runs only after its consumer's cancel is answered; the other cancel went out at the same time.
    await eventually(() => expect(placed).toEqual([1]));
    await service.inspector.ready(service.names.queue('order.note-loaded'));
    await send(2); // for somebody else
    open();
    await closing;
    expect(started).toBe(1);
    const depth = async (queue: QueueName) => (await withChannel((channel) => channel.checkQueue(service.names.queue(queue)))).messageCount;
    await eventually(async () => expect([await depth('order.note-loaded'), await depth('order.place-order')]).toEqual([1, 0]));
  });

  it('the watchdog replaces a subscription that stays silent while messages wait', async () => {
    const observer = new Broker({ url: testUrl('TEST_AMQP_URL'), namespace, service: 'observer', retryDelaysMs: RETRY_DELAYS_MS });
    observer.start();
    const inspector = new QueueInspector(observer);
    const seen: number[] = [];
    const queue = `${namespace}.silent`;
    const consumer = new QueueConsumer(service.broker.consume, {
      name: 'silent', prefetch: 1, sizeMax: 1, waitMs: 0, concurrency: 1,
      declare: async (channel) => (await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })).queue,
      run: async (batch, ack) => {
        seen.push(...batch.map(({ message }) => Number(message.content.toString())));
        batch.forEach(ack);
      },
    });
    await eventually(async () => {
      expect(consumer.ready).toBe(true);
      await inspector.ready(queue);
    });
    proxy.hold();
    await withChannel(async (channel) => {
      for (const body of ['1', '2']) channel.sendToQueue(queue, Buffer.from(body));
      await channel.waitForConfirms();
    });
    await eventually(async () => expect(await inspector.ready(queue)).toBe(1));
    const watchdog = new ConsumerWatchdog([consumer], inspector);
    await watchdog.check(0);
    expect([consumer.ready, watchdog.alive()]).toEqual([false, true]);
    proxy.release();
    await eventually(() => expect(new Set(seen)).toEqual(new Set([1, 2])));
    await consumer.stop(1_000);
    await inspector.close();
    await observer.close();
    await withChannel((channel) => channel.deleteQueue(queue));
  });
});
