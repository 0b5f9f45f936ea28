import { randomUUID } from 'node:crypto';
import type { Board } from '@floodgate/contracts';
import { Controller } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PermanentError } from '../errors.js';
import { eventually } from '../support/eventually.js';
import { MessagingHarness, dropNamespace, laneLoaded, testUrl, withChannel } from '../support/messaging.harness.js';
import { TcpProxy } from '../support/tcp.proxy.js';
import type { DeadLetter } from './dead.letters.js';
import { Consume, ConsumeBoard, ConsumeDeadLetters, ConsumeInstance, type DeliveryOf, type InstanceDeliveryOf } from './handler.decorators.js';

let events: InstanceDeliveryOf<'gateway.events'>[];
let boards: Board[];
let onLetters: (letters: DeadLetter[]) => Promise<void>;

@Controller()
class TestListeners {
  @ConsumeInstance('gateway.events')
  async note(messages: InstanceDeliveryOf<'gateway.events'>[]): Promise<void> {
    events.push(...messages);
    if (messages.some(({ messageId }) => messageId === 'thrown')) throw new Error('a hint that fails is only logged');
  }

  @ConsumeBoard()
  async look(board: Board): Promise<void> {
    boards.push(board);
  }

  @ConsumeDeadLetters()
  async keep(letters: DeadLetter[]): Promise<void> {
    await onLetters(letters);
  }

  @Consume('order.note-loaded')
  async refuse(_messages: DeliveryOf<'order.note-loaded'>[]): Promise<void> {
    throw new PermanentError('no');
  }
}

const board = (seq: number): Board => ({ source: 's', seq, atMs: 1, lanes: [] });

describe('hints, the board and dead letters', () => {
  const proxy = new TcpProxy(new URL(testUrl('TEST_AMQP_URL')));
  const namespace = `test-${randomUUID()}`;
  let service: MessagingHarness;
  let other: MessagingHarness;

  beforeAll(async () => {
    const url = await proxy.start();
    service = await (await MessagingHarness.start({ namespace, url, controllers: [TestListeners] })).ready();
    other = await (await MessagingHarness.start({ namespace, service: 'other' })).ready();
  });

  beforeEach(async () => {
    events = [];
    boards = [];
    onLetters = () => Promise.resolve();
    await service.ready();
  });

  afterAll(async () => {
    await service.close();
    await other.close();
    await proxy.stop();
    await dropNamespace(namespace);
  });

  const change = (version: number, messageId?: string) =>
    other.publisher.publish('sale.changed', { saleId: 's', version, state: 'ARMED' }, messageId ? { messageId } : {});

  it('every instance gets every event, and one that fails is gone', async () => {
    await change(1, 'thrown');
    await change(2);
    await eventually(() => expect(events.map((event) => 'version' in event.body && event.body.version)).toEqual([1, 2]));
  });

  it('after a cut the instance listens again, with a new queue', async () => {
    proxy.cut();
    await eventually(async () => {
      await change(3);
      expect(events.length).toBeGreaterThan(0);
    });
  });

  it('a beat of the board reaches who listens', async () => {
    await eventually(() => {
      other.publisher.publishBoard(board(7));
      expect(boards).toContainEqual(board(7));
    });
  });

  it('the dead letters of a queue reach their keeper, who takes them at his own pace', async () => {
    const kept: DeadLetter[] = [];
    let refusals = 0;
    onLetters = async (letters) => {
      if (refusals++ < 2) throw new Error('not now');
      kept.push(...letters);
    };
    await other.publisher.publish('lane.loaded', laneLoaded(4), { messageId: 'dead-1' });
    await eventually(() => expect(kept).toMatchObject([{ queue: 'order.note-loaded', name: 'lane.loaded', messageId: 'dead-1', reason: 'permanent', lastError: 'PermanentError: no' }]));
    const { messageCount } = await withChannel((channel) => channel.checkQueue(service.names.dead('order.note-loaded')));
    expect(messageCount).toBe(0);
  });

  it('a letter that cannot be kept does not stand before the others, and is not lost', async () => {
    const kept = new Set<string>();
    let open = false;
    onLetters = async (letters) => {
      if (!open && letters.some(({ messageId }) => messageId === 'bad')) throw new Error('bad');
      for (const { messageId } of letters) kept.add(messageId);
    };
    await Promise.all(['a', 'bad', 'b', 'c'].map((messageId) => other.publisher.publish('lane.loaded', laneLoaded(4), { messageId })));
    await eventually(() => expect([...kept].sort()).toEqual(['a', 'b', 'c']));
    open = true;
    await eventually(() => expect([...kept].sort()).toEqual(['a', 'b', 'bad', 'c']));
  });
});
