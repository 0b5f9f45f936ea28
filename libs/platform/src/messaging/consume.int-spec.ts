import { randomUUID } from 'node:crypto';
import { queues, type QueueName } from '@floodgate/contracts';
import { Controller } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { InfrastructureError, PermanentError, SplitError } from '../errors.js';
import { eventually, gate } from '../support/eventually.js';
import { MessagingHarness, RETRY_DELAYS_MS, dropNamespace, laneLoaded, placeOrder, withChannel } from '../support/messaging.harness.js';
import { currentWork, wholeOf, workFor } from '../telemetry/work.js';
import { ConsumerProbes } from './consumer.probes.js';
import { readDeadLetter, type DeadLetter } from './dead.letters.js';
import { Consume, type DeliveryOf, type Verdict } from './handler.decorators.js';

type Loaded = DeliveryOf<'order.note-loaded'>;
type Placed = DeliveryOf<'order.place-order'>;

let onLoaded: (messages: Loaded[]) => Promise<void | Verdict[]>;
let onPlaced: (messages: Placed[]) => Promise<void | Verdict[]>;

@Controller()
class TestConsumers {
  @Consume('order.note-loaded')
  async noteLoaded(messages: Loaded[]): Promise<void | Verdict[]> {
    return onLoaded(messages);
  }

  @Consume('order.place-order', { batch: { sizeMax: 32, waitMs: 30 } })
  async placeOrder(messages: Placed[]): Promise<void | Verdict[]> {
    return onPlaced(messages);
  }
}

describe('@Consume', () => {
  let service: MessagingHarness;

  beforeAll(async () => {
    service = await (await MessagingHarness.start({ controllers: [TestConsumers] })).ready();
  });

  beforeEach(() => {
    onLoaded = () => Promise.resolve();
    onPlaced = () => Promise.resolve();
  });

  afterEach(async () => {
    await eventually(() => everythingSettled());
  });

  afterAll(async () => {
    await service.close();
    await dropNamespace(service.namespace);
  });

  const sendLoaded = (epoch: number, messageId: string = randomUUID()) => service.publisher.publish('lane.loaded', laneLoaded(epoch), { messageId });
  const rids = (messages: Placed[]) => messages.flatMap(({ body }) => body.reservations.map(({ rid }) => rid));

  async function everythingSettled(): Promise<void> {
    expect(await service.inspector.queueDepths(Object.keys(queues) as QueueName[])).toEqual(
      Object.fromEntries(Object.keys(queues).map((queue) => [queue, { ready: 0, unsettled: 0 }])),
    );
  }

  async function deadLetter(queue: QueueName): Promise<DeadLetter> {
    return eventually(() => withChannel(async (channel) => {
      const message = await channel.get(service.names.dead(queue), { noAck: true });
      if (!message) throw new Error('no dead letter yet');
      return readDeadLetter({ ...message, fields: { ...message.fields, consumerTag: '' } }, queue);
    }));
  }

  const sendRaw = (body: string, properties: object) =>
    withChannel(async (channel) => {
      channel.publish(service.names.exchange('messages'), 'lane.loaded', Buffer.from(body), properties);
      await channel.waitForConfirms();
    });

  it('hands over what was published, and acknowledges it after the handler', async () => {
    const seen: Loaded[] = [];
    onLoaded = async (messages) => { seen.push(...messages); };
    await sendLoaded(7, 'm1');
    await eventually(() => expect(seen).toEqual([{ name: 'lane.loaded', body: laneLoaded(7), messageId: 'm1', attempt: 1, occurredAtMs: expect.any(Number) }]));
  });

  it('works for the request that a message comes from, its retries included', async () => {
    const seen: [number, string | undefined][] = [];
    onLoaded = async ([message]) => {
      seen.push([message!.attempt, currentWork()?.requestId]);
      if (message!.attempt === 1) throw new Error('once more');
    };
    await wholeOf(workFor('request-1'), () => sendLoaded(7));
    await eventually(() => expect(seen).toEqual([[1, 'request-1'], [2, 'request-1']]));
    await sendLoaded(8);
    await eventually(() => expect(seen.slice(2)).toEqual([[1, undefined], [2, undefined]]));
  });

  it('works for nobody in particular where a batch comes from several requests', async () => {
    const seen: unknown[] = [];
    const [begun, first] = [gate(), gate()];
    onPlaced = async (messages) => {
      if (rids(messages)[0] === 'first') {
        begun.open();
        return first.opened;
      }
      seen.push([rids(messages).sort(), currentWork()?.requestId]);
    };
    const place = (rid: string) => wholeOf(workFor(`request-${rid}`), () => service.publisher.publish('place-order', placeOrder(rid)));
    await place('first');
    await begun.opened;
    await place('a');
    await place('b');
    await eventually(async () => expect(await service.inspector.queueDepths(['order.place-order'])).toEqual({ 'order.place-order': { ready: 0, unsettled: 3 } }));
    first.open();
    await eventually(() => expect(seen).toEqual([[['a', 'b'], undefined]]));
  });

  it('tries again through the tiers, then keeps it as a dead letter with its first and last error', async () => {
    const attempts: number[] = [];
    onPlaced = async ([message]) => {
      attempts.push(message!.attempt);
      throw new Error(`attempt ${message!.attempt}`);
    };
    await service.publisher.publish('place-order', placeOrder('r1'), { messageId: 'doomed', occurredAtMs: 5 });
    const letter = await deadLetter('order.place-order');
    expect(attempts).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(letter).toMatchObject({
      queue: 'order.place-order', name: 'place-order', messageId: 'doomed', reason: 'attempts-exhausted', attempts: 8, occurredAtMs: 5,
      firstError: 'Error: attempt 1', lastError: 'Error: attempt 8',
    });
    expect(JSON.parse(letter.body.toString())).toEqual(placeOrder('r1'));
    expect(Object.keys(letter.headers)).not.toContain('x-death');
  });

  it('a permanent error is a dead letter at once', async () => {
    let calls = 0;
    onLoaded = async () => {
      calls++;
      throw new PermanentError('never');
    };
    await sendLoaded(1);
    expect(await deadLetter('order.note-loaded')).toMatchObject({ reason: 'permanent', attempts: 1, lastError: 'PermanentError: never' });
    expect(calls).toBe(1);
  });

  it.each([
    ['what is no JSON', '{', { messageId: 'a', type: 'lane.loaded', headers: { v: 1 } }, 'not JSON'],
    ['what does not fit its schema', '{"saleId":"s"}', { messageId: 'a', type: 'lane.loaded', headers: { v: 1 } }, 'does not fit its schema: lane'],
    ['another major version', JSON.stringify(laneLoaded(1)), { messageId: 'a', type: 'lane.loaded', headers: { v: 2 } }, 'has version 2'],
    ['an unknown name', JSON.stringify(laneLoaded(1)), { messageId: 'a', type: 'lane.lost', headers: { v: 1 } }, 'unknown message lane.lost'],
    ['no message id', JSON.stringify(laneLoaded(1)), { type: 'lane.loaded', headers: { v: 1 } }, 'no message id'],
  ])('%s is a dead letter at once, as it came', async (_case, body, properties, error) => {
    onLoaded = () => Promise.reject(new Error('must not be called'));
    await sendRaw(body, properties);
    const letter = await deadLetter('order.note-loaded');
    expect(letter).toMatchObject({ reason: 'permanent', lastError: expect.stringContaining(error) });
    expect(letter.body.toString()).toBe(body);
  });

  it('collects a batch', async () => {
    const sizes: number[] = [];
    onPlaced = async (messages) => { sizes.push(messages.length); };
    await Promise.all(Array.from({ length: 20 }, (_, index) => service.publisher.publish('place-order', placeOrder(`b${index}`))));
    await eventually(() => expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(20));
    expect(sizes.length).toBeLessThan(10);
  });

  it('a poisonous message of a batch delays nobody else', async () => {
    const done = new Set<string>();
    onPlaced = async (messages) => {
      if (rids(messages).includes('poison')) throw new Error('poison');
      for (const rid of rids(messages)) done.add(rid);
    };
    const all = Array.from({ length: 15 }, (_, index) => `ok${index}`);
    await Promise.all([...all.slice(0, 7), 'poison', ...all.slice(7)].map((rid) => service.publisher.publish('place-order', placeOrder(rid))));
    await eventually(() => expect([...done].sort()).toEqual([...all].sort()));
    expect(await deadLetter('order.place-order')).toMatchObject({ attempts: 8, lastError: 'Error: poison' });
  });

  it('settles each message by its verdict', async () => {
    const attempts = new Map<string, number[]>();
    onPlaced = async (messages) => messages.map((message) => {
      const [rid] = rids([message]);
      attempts.set(rid!, [...(attempts.get(rid!) ?? []), message.attempt]);
      return rid === 'again' && message.attempt === 1 ? { failed: new Error('not yet') } : 'done';
    });
    await Promise.all(['fine', 'again'].map((rid) => service.publisher.publish('place-order', placeOrder(rid))));
    await eventually(() => expect(Object.fromEntries(attempts)).toEqual({ fine: [1], again: [1, 2] }));
  });

  it('a chunk that fails is sent again as singles before an attempt is counted', async () => {
    const judged: [string, number][] = [];
    onPlaced = async (messages) => {
      if (messages.length > 1) throw new Error('one by one, please');
      const [message] = messages;
      const { reservations } = message!.body;
      if (reservations.length > 1) throw new SplitError(reservations.map((reservation) => ({ ...message!.body, reservations: [reservation] })));
      if (reservations[0]!.rid === 's2' && message!.attempt === 1) throw new Error('the guilty one');
      judged.push([reservations[0]!.rid, message!.attempt]);
    };
    await service.publisher.publish('place-order', placeOrder('s1', 's2', 's3'));
    await eventually(() => expect(Object.fromEntries(judged)).toEqual({ s1: 1, s2: 2, s3: 1 }));
  });

  it('an absent server pauses the consumer and burns no attempt', async () => {
    let back = false;
    let probed = 0;
    service.app.get(ConsumerProbes).register('order.note-loaded', () => {
      probed++;
      return back;
    });
    const attempts: number[] = [];
    onLoaded = async ([message]) => {
      if (!back) throw new Error('wrapped', { cause: new InfrastructureError('away') });
      attempts.push(message!.attempt);
    };
    await Promise.all([sendLoaded(1), sendLoaded(2), sendLoaded(3)]);
    await eventually(() => expect(service.server.pausedQueues()).toEqual(['order.note-loaded']));
    await eventually(() => expect(probed).toBeGreaterThan(1));
    expect((await service.inspector.queueDepths(['order.note-loaded']))['order.note-loaded']).toEqual({ ready: 3, unsettled: 0 });
    back = true;
    await eventually(() => expect(attempts).toEqual([1, 1, 1]));
    expect(service.server.pausedQueues()).toEqual([]);
  });

  it('declares and subscribes anew when its queue is deleted', async () => {
    const seen: number[] = [];
    onLoaded = async ([message]) => { seen.push(message!.body.epoch); };
    await withChannel((channel) => channel.deleteQueue(service.names.queue('order.note-loaded')));
    await eventually(async () => {
      await sendLoaded(9);
      expect(seen).toContain(9);
    });
    const { consumerCount } = await withChannel((channel) => channel.checkQueue(service.names.queue('order.note-loaded')));
    expect(consumerCount).toBe(1);
  });

  it('waits in the tier of its attempt', () => {
    expect([1, 2, 3, 9].map((attempt) => service.names.tierOf('order.place-order', attempt))).toEqual(
      [RETRY_DELAYS_MS[0], RETRY_DELAYS_MS[1], RETRY_DELAYS_MS[1], RETRY_DELAYS_MS[1]].map((delay) => service.names.retry('order.place-order', delay)),
    );
  });
});
