import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PublishError } from '../errors.js';
import { blockedFrame, unblockedFrame } from '../support/broker.frames.js';
import { eventually } from '../support/eventually.js';
import { MessagingHarness, dropNamespace, laneLoaded, placeOrder, testUrl, withChannel } from '../support/messaging.harness.js';
import { TcpProxy } from '../support/tcp.proxy.js';
import { ConfirmedPublisher } from './confirmed.publisher.js';

describe('Publisher', () => {
  const proxy = new TcpProxy(new URL(testUrl('TEST_AMQP_URL')));
  let url: string;
  let service: MessagingHarness;

  beforeAll(async () => {
    url = await proxy.start();
    service = await (await MessagingHarness.start({ url })).ready();
  });

  beforeEach(async () => {
    proxy.accept();
    await service.ready();
  });

  afterEach(() => proxy.release());

  afterAll(async () => {
    await service.close();
    await proxy.stop();
    await dropNamespace(service.namespace);
  });

  const publish = (options = {}) => service.publisher.publish('lane.loaded', laneLoaded(1), options);
  const failure = async (attempt: Promise<void>) => {
    const error = await attempt.then(() => null, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(PublishError);
    const { code, outcome } = error as PublishError;
    return `${code}, ${outcome}`;
  };
  const raw = (publisher: ConfirmedPublisher, exchange: string, routingKey: string, timeoutMs?: number) =>
    publisher.send({ exchange, routingKey }, Buffer.from('{}'), {}, { what: 'test', ...(timeoutMs ? { timeoutMs } : {}) });

  it('resolves when the message is in its queue, with what a consumer needs to know', async () => {
    await publish({ messageId: 'm1', occurredAtMs: 1_700_000_000_000, origin: { requestId: 'request-1', traceparent: '00-a-b-01' } });
    const message = await withChannel((channel) => channel.get(service.names.queue('order.note-loaded'), { noAck: true }));
    if (!message) throw new Error('nothing there');
    expect(JSON.parse(message.content.toString())).toEqual(laneLoaded(1));
    expect(message.properties).toMatchObject({
      messageId: 'm1', type: 'lane.loaded', deliveryMode: 2, contentType: 'application/json',
      headers: { v: 1, occurredAt: 1_700_000_000_000, attempt: 1, requestId: 'request-1', traceparent: '00-a-b-01' },
    });
  });

  it('refuses a body that does not fit its schema', async () => {
    await expect(service.publisher.publish('lane.loaded', { ...laneLoaded(1), epoch: -1 })).rejects.toThrow(/lane.loaded does not fit its schema: epoch/);
  });

  it('says UNROUTABLE when nobody is bound, and makes the binding that is missing', async () => {
    const { names } = service;
    await withChannel((channel) => channel.unbindQueue(names.queue('order.place-order'), names.exchange('messages'), 'place-order'));
    const place = () => service.publisher.publish('place-order', placeOrder('r1'));
    expect(await failure(place())).toBe('UNROUTABLE, not-published');
    await eventually(place);
  });

  it('settles each publish by itself, though two carry the same message id', async () => {
    await Promise.all([publish({ messageId: 'same' }), publish({ messageId: 'same' })]);
    expect(service.publisher.pendingCount).toBe(0);
  });

  it('says NACKED when the broker refuses', async () => {
    const queue = `${service.namespace}.small`;
    await withChannel(async (channel) => {
      await channel.assertQueue(queue, { durable: false, exclusive: false, autoDelete: true, arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } });
      await raw(service.publisher.confirmed, '', queue);
      expect(await failure(raw(service.publisher.confirmed, '', queue))).toBe('NACKED, unknown');
      await channel.deleteQueue(queue);
    });
  });

  it('says CLOSED when its channel is closed, and opens another', async () => {
    expect(await failure(raw(service.publisher.confirmed, `${service.namespace}.no-such-exchange`, 'x'))).toBe('CLOSED, unknown');
    await eventually(() => publish());
  });

  it('says TIMEOUT when no confirm comes, and does not wait for it', async () => {
    proxy.hold();
    expect(await failure(publish({ timeoutMs: 100 }))).toBe('TIMEOUT, unknown');
    expect(service.publisher.pendingCount).toBe(0);
  });

  it('says CLOSED for what is under way when the link breaks, then NOT_CONNECTED, and comes back', async () => {
    proxy.hold();
    const underWay = failure(publish());
    proxy.refuse();
    expect(await underWay).toBe('CLOSED, unknown');
    expect([service.publisher.state, await failure(publish())]).toEqual(['down', 'NOT_CONNECTED, not-published']);
    proxy.release();
    proxy.accept();
    await eventually(() => publish());
    expect(service.publisher.state).toBe('up');
  });

  it('says OVERLOADED rather than hold more than its bound', async () => {
    const bounded = new ConfirmedPublisher(service.broker, 1);
    await eventually(() => expect(bounded.state).toBe('up'));
    proxy.hold();
    const first = raw(bounded, '', service.names.queue('order.note-loaded'));
    expect(await failure(raw(bounded, '', service.names.queue('order.note-loaded')))).toBe('OVERLOADED, not-published');
    proxy.release();
    await first;
    await bounded.close();
  });

  it('says BLOCKED at once while the broker is blocked, and goes on afterwards', async () => {
    proxy.say(blockedFrame);
    await eventually(() => expect(service.publisher.state).toBe('blocked'));
    expect(await failure(publish())).toBe('BLOCKED, not-published');
    proxy.say(unblockedFrame);
    await eventually(() => publish());
  });

  it('brings the topology back after the broker lost it', async () => {
    await dropNamespace(service.namespace);
    await eventually(() => publish());
  });
});
