import { requests, type RequestName, type RequestQueueName } from '@floodgate/contracts';
import { Logger } from '@nestjs/common';
import type { ConsumeMessage } from 'amqplib';
import { errorText } from '../errors.js';
import { answered } from '../telemetry/metrics.js';
import { currentSpan, resumed } from '../telemetry/trace.js';
import type { Broker } from './broker.js';
import { KeptChannel } from './kept.channel.js';
import { issuesOf, originOf, parseJson } from './message.codec.js';
import type { ReplyBody } from './request.client.js';
import { declareRequestQueue } from './topology.declaration.js';

const answering = { kind: 'server', attributes: { 'messaging.system': 'rabbitmq' } } as const;

export type AnswerHandler = (ask: unknown) => Promise<unknown>;

/**
 * Answers the requests of one queue. No acknowledgements: a question whose answerer dies is asked again by whoever still wants to
 * know. As many at once as come; the asker bounds what is in flight.
 */
export class RequestResponder {
  private readonly logger: Logger;
  private readonly asks: KeptChannel;
  private tag: string | undefined;
  private running = 0;
  private idle: (() => void) | undefined;

  constructor(
    private readonly broker: Broker,
    private readonly queue: RequestQueueName,
    private readonly handlers: ReadonlyMap<RequestName, AnswerHandler>,
    /** Where answers leave: not the connection they came in on, which a publisher's alarm must not block. */
    private readonly replies: KeptChannel,
  ) {
    this.logger = new Logger(`answers ${queue}`);
    this.asks = new KeptChannel(broker.consume, 'plain', {
      name: queue,
      setup: async (channel) => {
        const name = await declareRequestQueue(channel, broker.names, queue);
        this.tag = (await channel.consume(name, (message) => {
          if (message) void resumed(originOf(message.properties.headers), `answer ${message.properties.type}`, answering, () => this.answer(message));
          else this.asks.reopen();
        }, { noAck: true })).consumerTag;
      },
      lost: () => { this.tag = undefined; },
    });
  }

  get ready(): boolean {
    return this.tag !== undefined && this.replies.channel !== undefined;
  }

  /** Takes no more questions and answers those it has, for at most `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    const deadline = new Promise<void>((resolve) => { setTimeout(resolve, deadlineMs).unref(); });
    // Refused: the channel is gone, and the subscription with it.
    if (this.tag) await Promise.race([this.asks.channel?.cancel(this.tag).catch(() => undefined), deadline]);
    if (this.running > 0) await Promise.race([new Promise<void>((resolve) => { this.idle = resolve; }), deadline]);
    await Promise.race([this.asks.close(), deadline]);
  }

  private async answer(message: ConsumeMessage): Promise<void> {
    this.running++;
    const name = String(message.properties.type) as RequestName;
    let reply: Buffer;
    try {
      reply = encode({ value: await this.execute(name, message.content) });
      answered.inc({ request: name, outcome: 'answered' });
    } catch (error) {
      currentSpan()?.fail(error);
      this.logger.error(`${name}: ${errorText(error)}`);
      reply = encode({ error: errorText(error) });
      answered.inc({ request: Object.hasOwn(requests, name) ? name : 'unknown', outcome: 'failed' });
    }
    this.send(message, reply);
    if (--this.running === 0) this.idle?.();
  }

  private async execute(name: RequestName, content: Buffer): Promise<unknown> {
    const handler = this.handlers.get(name);
    if (!handler) throw new Error(`${this.broker.names.queue(this.queue)} does not answer this`);
    const ask = requests[name].ask.safeParse(parseJson(content));
    if (!ask.success) throw new Error(`the ask does not fit its schema: ${issuesOf(ask.error)}`);
    const answer = requests[name].answer.safeParse(await handler(ask.data));
    if (!answer.success) throw new Error(`the answer does not fit its schema: ${issuesOf(answer.error)}`);
    return answer.data;
  }

  private send(message: ConsumeMessage, reply: Buffer): void {
    const { replyTo, correlationId } = message.properties as { replyTo?: string; correlationId?: string };
    const channel = this.replies.channel;
    if (!replyTo || !channel) return; // nobody to tell: the asker's own timer ends its wait
    try {
      channel.publish('', replyTo, reply, { persistent: false, ...(correlationId === undefined ? {} : { correlationId }) });
    } catch {
      // The channel closed a moment ago: as above.
    }
  }
}

const encode = (reply: ReplyBody): Buffer => Buffer.from(JSON.stringify(reply));
