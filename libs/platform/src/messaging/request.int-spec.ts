import { randomUUID } from 'node:crypto';
import { requests, type Answer, type Ask } from '@floodgate/contracts';
import { Controller } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RequestError } from '../errors.js';
import { eventually, gate } from '../support/eventually.js';
import { MessagingHarness, dropNamespace, testUrl, withChannel } from '../support/messaging.harness.js';
import { TcpProxy } from '../support/tcp.proxy.js';
import { currentWork, wholeOf, workFor } from '../telemetry/work.js';
import { Answers } from './handler.decorators.js';

let onCount: () => Promise<unknown>;

@Controller()
class TestAnswers {
  @Answers('count-unjudged')
  async countUnjudged(_ask: Ask<'count-unjudged'>): Promise<Answer<'count-unjudged'>> {
    return (await onCount()) as Answer<'count-unjudged'>;
  }

  @Answers('read-rows')
  async readRows(ask: Ask<'read-rows'>): Promise<Answer<'read-rows'>> {
    return { rows: [], next: ask.after };
  }
}

describe('requests', () => {
  const proxy = new TcpProxy(new URL(testUrl('TEST_AMQP_URL')));
  const namespace = `test-${randomUUID()}`;
  let url: string;
  let asker: MessagingHarness;
  let answerer: MessagingHarness;

  beforeAll(async () => {
    url = await proxy.start();
    asker = await (await MessagingHarness.start({ namespace, url, service: 'asker' })).ready();
    answerer = await (await MessagingHarness.start({ namespace, controllers: [TestAnswers], service: 'answerer' })).ready();
  });

  beforeEach(async () => {
    onCount = () => Promise.resolve({ placeOrderMessages: 3 });
    proxy.release();
    await asker.ready();
  });

  afterEach(() => proxy.accept());

  afterAll(async () => {
    await asker.close();
    await answerer.close();
    await proxy.stop();
    await dropNamespace(namespace);
  });

  const count = (timeoutMs?: number) => asker.client.ask('count-unjudged', {}, timeoutMs ? { timeoutMs } : {});
  const failure = async (attempt: Promise<unknown>) => {
    const error = await attempt.then(() => null, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(RequestError);
    const { code, outcome } = error as RequestError;
    return `${code}, ${outcome}`;
  };

  it('is answered', async () => {
    expect(await count()).toEqual({ placeOrderMessages: 3 });
  });

  it('many at once each get their own answer', async () => {
    const afters = Array.from({ length: 500 }, (_, index) => String(index));
    const answers = await Promise.all(afters.map((after) => asker.client.ask('read-rows', { saleId: 's', lane: 0, after, limit: 1 })));
    expect(answers.map(({ next }) => next)).toEqual(afters);
  });

  it('carries the id of the client’s request, and no other', async () => {
    const seen: (string | undefined)[] = [];
    onCount = async () => {
      await Promise.resolve();
      seen.push(currentWork()?.requestId);
      return { placeOrderMessages: 3 };
    };
    await wholeOf(workFor('request-1'), () => count());
    await count();
    expect(seen).toEqual(['request-1', undefined]);
  });

  it('nobody there is known at once', async () => {
    expect(await failure(asker.client.ask('get-board', { saleIds: null }))).toBe('UNROUTABLE, not-executed');
  });

  it('a request that its answerer does not know has failed', async () => {
    expect(await failure(asker.client.ask('list-lanes', {}))).toBe('FAILED, unknown');
  });

  it('an error of the handler has failed, with its message', async () => {
    onCount = () => Promise.reject(new TypeError('no such thing'));
    await expect(count()).rejects.toThrow('FAILED: count-unjudged: TypeError: no such thing');
  });

  it('an answer that does not fit its schema has failed', async () => {
    onCount = () => Promise.resolve({ placeOrderMessages: 'many' });
    await expect(count()).rejects.toThrow(/the answer does not fit its schema: placeOrderMessages/);
  });

  it('an ask that does not fit its schema has failed', async () => {
    await expect(asker.client.ask('read-rows', { saleId: 'not an id', lane: 0, after: null, limit: 1 })).rejects.toThrow(/the ask does not fit its schema: saleId/);
  });

  it('no answer in time is a time-out, and a late one disturbs nobody', async () => {
    const { opened, open } = gate();
    onCount = async () => {
      await opened;
      return { placeOrderMessages: 1 };
    };
    expect(await failure(count(50))).toBe('TIMEOUT, unknown');
    open();
    onCount = () => Promise.resolve({ placeOrderMessages: 2 });
    expect(await count()).toEqual({ placeOrderMessages: 2 });
  });

  it('a broken link ends what is open, then refuses, then heals', async () => {
    proxy.hold();
    const open = failure(count());
    proxy.refuse();
    expect(await open).toBe('CLOSED, unknown');
    expect(await failure(count())).toBe('NOT_CONNECTED, not-executed');
    proxy.release();
    proxy.accept();
    await eventually(async () => expect(await count()).toEqual({ placeOrderMessages: 3 }));
  });

  it('a deleted request queue comes back', async () => {
    await withChannel((channel) => channel.deleteQueue(asker.names.queue(requests['count-unjudged'].to)));
    await eventually(async () => expect(await count()).toEqual({ placeOrderMessages: 3 }));
  });

  it('on close the answerer answers what it has, and its queue goes with it', async () => {
    const other = await (await MessagingHarness.start({ controllers: [TestAnswers], service: 'other' })).ready();
    const { opened, open } = gate();
    let started = 0;
    onCount = async () => {
      started++;
      await opened;
      return { placeOrderMessages: 9 };
    };
    const answer = other.client.ask('count-unjudged', {}, { timeoutMs: 30_000 });
    await eventually(() => expect(started).toBe(1));
    const closing = other.server.close();
    await eventually(async () => expect(await failure(other.client.ask('count-unjudged', {}, { timeoutMs: 50 }))).toBe('UNROUTABLE, not-executed'));
    open();
    expect(await answer).toEqual({ placeOrderMessages: 9 });
    await closing;
    await other.close();
    await dropNamespace(other.namespace);
  });
});
