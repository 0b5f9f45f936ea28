import { requests, type Answer, type Ask, type RequestName } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import type { ConsumeMessage } from 'amqplib';
import { RequestError, type RequestErrorCode } from '../errors.js';
import { asked } from '../telemetry/metrics.js';
import { traced } from '../telemetry/trace.js';
import { workHeaders } from '../telemetry/work.js';
import { Broker } from './broker.js';
import { KeptChannel } from './kept.channel.js';

const ASK_TIMEOUT_MS = 3_000;
const PENDING_MAX = 10_000;
/** The broker's pseudo-queue: answers come straight to the channel that asked, no queue is made. */
const REPLY_TO = 'amq.rabbitmq.reply-to';

const asking = { kind: 'client', attributes: { 'messaging.system': 'rabbitmq' } } as const;

/** What an answer looks like on the wire. */
export type ReplyBody = { value: unknown } | { error: string };

interface Pending {
  name: RequestName;
  resolve: (value: unknown) => void;
  reject: (error: RequestError) => void;
  timer: NodeJS.Timeout;
}

/** Questions to other services. Nothing of it is stored: an answer comes in time or not at all. */
@Injectable()
export class RequestClient {
  private readonly kept: KeptChannel;
  private readonly pending = new Map<string, Pending>();
  private sequence = 0;

  constructor(private readonly broker: Broker) {
    this.kept = new KeptChannel(broker.request, 'plain', {
      name: 'ask',
      setup: async (channel) => {
        channel.on('return', (message) => this.fail(String(message.properties.correlationId), 'UNROUTABLE', 'nobody answers'));
        await channel.consume(REPLY_TO, (message) => this.onReply(message), { noAck: true });
      },
      lost: () => {
        for (const id of [...this.pending.keys()]) this.fail(id, 'CLOSED', 'the link broke');
      },
    });
  }

  get state(): 'up' | 'down' {
    return this.kept.channel && !this.broker.request.blocked ? 'up' : 'down';
  }

  /**
   * Asks whoever answers this request; the ask is checked by the one who answers. The client's request and its trace go with it.
   * @param options `timeoutMs` default 3 s; after it the question is dropped from the queue too
   * @throws RequestError code and outcome
   */
  ask<N extends RequestName>(name: N, body: Ask<N>, options: { timeoutMs?: number } = {}): Promise<Answer<N>> {
    return traced(`ask ${name}`, asking, () => this.send(name, body, options.timeoutMs ?? ASK_TIMEOUT_MS));
  }

  async close(): Promise<void> {
    await this.kept.close();
  }

  private send<N extends RequestName>(name: N, body: Ask<N>, timeoutMs: number): Promise<Answer<N>> {
    const channel = this.kept.channel;
    if (!channel || this.broker.request.blocked) return refused(name, 'NOT_CONNECTED', channel ? 'blocked' : 'no link to the broker');
    if (this.pending.size >= PENDING_MAX) return refused(name, 'OVERLOADED', `${this.pending.size} questions are open`);
    const correlationId = (++this.sequence).toString(36);
    return new Promise<Answer<N>>((resolve, reject) => {
      const timer = setTimeout(() => this.fail(correlationId, 'TIMEOUT', `no answer within ${timeoutMs} ms`), timeoutMs);
      this.pending.set(correlationId, { name, resolve: resolve as (value: unknown) => void, reject, timer });
      try {
        channel.publish('', this.broker.names.queue(requests[name].to), Buffer.from(JSON.stringify(body)), {
          type: name, correlationId, replyTo: REPLY_TO, mandatory: true, persistent: false, expiration: timeoutMs, headers: workHeaders(),
        });
      } catch {
        // The channel refuses before it writes: it is closed, and nothing has left.
        this.fail(correlationId, 'NOT_CONNECTED', 'the link broke');
      }
    });
  }

  private onReply(message: ConsumeMessage | null): void {
    if (!message) return this.kept.reopen();
    const id = String(message.properties.correlationId);
    const pending = this.pending.get(id);
    if (!pending) return; // answered after its time
    let reply: ReplyBody;
    try {
      reply = JSON.parse(message.content.toString('utf8')) as ReplyBody;
    } catch {
      return this.fail(id, 'FAILED', 'the answer is not JSON');
    }
    if ('error' in reply) return this.fail(id, 'FAILED', reply.error);
    this.take(id);
    asked.inc({ request: pending.name, outcome: 'answered' });
    pending.resolve(reply.value);
  }

  private fail(id: string, code: RequestErrorCode, detail: string): void {
    const pending = this.take(id);
    if (!pending) return;
    asked.inc({ request: pending.name, outcome: code });
    pending.reject(new RequestError(code, `${pending.name}: ${detail}`));
  }

  private take(id: string): Pending | undefined {
    const pending = this.pending.get(id);
    if (!pending) return undefined;
    this.pending.delete(id);
    clearTimeout(pending.timer);
    return pending;
  }
}

function refused(name: RequestName, code: RequestErrorCode, detail: string): Promise<never> {
  asked.inc({ request: name, outcome: code });
  return Promise.reject(new RequestError(code, `${name}: ${detail}`));
}
