import { randomUUID } from 'node:crypto';
import { boardSchema, messages, type Board, type MessageBody, type MessageName } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { PublishError } from '../errors.js';
import { published, publisherState } from '../telemetry/metrics.js';
import { resumed, traced } from '../telemetry/trace.js';
import { workHeaders } from '../telemetry/work.js';
import { Broker } from './broker.js';
import { ConfirmedPublisher } from './confirmed.publisher.js';
import { replayProperties, type ReplayableLetter } from './dead.letters.js';
import { KeptChannel } from './kept.channel.js';
import { encodeBody, messageProperties } from './message.codec.js';

export interface PublishOptions {
  /** Stable across repetitions of the same message; random if absent. */
  messageId?: string;
  occurredAtMs?: number;
  /** How long to wait for the confirm; default 5 s. */
  timeoutMs?: number;
  /** What the message comes from, where that is not what is being worked for: the client's request and the W3C trace context. */
  origin?: { requestId?: string; traceparent?: string };
}

const producer = { kind: 'producer', attributes: { 'messaging.system': 'rabbitmq' } } as const;
const states = ['up', 'blocked', 'down'] as const;

/** Messages to whoever is bound for their name. */
@Injectable()
export class Publisher {
  /** For the consumers: retries and dead letters go out on the same channel. */
  readonly confirmed: ConfirmedPublisher;
  private readonly board: KeptChannel;

  constructor(private readonly broker: Broker) {
    this.confirmed = new ConfirmedPublisher(broker);
    this.board = new KeptChannel(broker.request, 'plain', { name: 'board' });
    // A counter that is born at 1 has, to whoever asks for a rate, never risen.
    for (const message of Object.keys(messages)) published.inc({ message, outcome: 'UNROUTABLE' }, 0);
    publisherState.read = () => states.map((state) => [{ state }, Number(state === this.state)]);
  }

  /** `blocked`: the broker is out of memory or disk and refuses publishes; stop taking in work that must be published. */
  get state(): (typeof states)[number] {
    return this.confirmed.state;
  }

  /** Publishes under way. */
  get pendingCount(): number {
    return this.confirmed.pendingCount;
  }

  /**
   * Persistent, and resolved only when the broker has confirmed it for every queue that is bound.
   * @throws PublishError code and outcome; after `unknown` publish it again under the same message id
   * @throws PermanentError if the body does not fit its schema
   */
  async publish<N extends MessageName>(name: N, body: MessageBody<N>, options: PublishOptions = {}): Promise<void> {
    await this.publishJson(name, encodeBody(name, body), options);
  }

  /** As {@link publish}, for a body that has been checked and written as JSON before (the outbox). */
  publishJson(name: MessageName, json: string, options: PublishOptions = {}): Promise<void> {
    const send = (): Promise<void> => this.send(name, json, options);
    return options.origin ? resumed(options.origin, `publish ${name}`, producer, send) : traced(`publish ${name}`, producer, send);
  }

  /**
   * Sends a dead letter again to the queue it failed in, and to no other: the same bytes, id and version, its attempts counted anew.
   * @throws PublishError code and outcome
   */
  async replay(letter: ReplayableLetter): Promise<void> {
    const target = { exchange: '', routingKey: this.broker.names.queue(letter.queue) };
    await this.confirmed.send(target, letter.body, replayProperties(letter), { what: `${letter.name} again` });
  }

  /** To every gateway there is now; lost where nobody listens or the link is down. The next beat repairs it. */
  publishBoard(board: Board): void {
    const channel = this.board.channel;
    if (!channel || this.broker.request.blocked) return;
    const content = Buffer.from(JSON.stringify(boardSchema.parse(board)));
    try {
      channel.publish(this.broker.names.exchange('board'), '', content, { persistent: false, contentType: 'application/json' });
    } catch {
      // The channel closed a moment ago: this beat is lost like those before it.
    }
  }

  async close(): Promise<void> {
    await this.confirmed.close();
    await this.board.close();
  }

  private async send(name: MessageName, json: string, options: PublishOptions): Promise<void> {
    const properties = messageProperties(name, {
      messageId: options.messageId ?? randomUUID(),
      occurredAtMs: options.occurredAtMs ?? Date.now(),
      attempt: 1,
      ...options.origin,
      ...workHeaders(),
    });
    const target = { exchange: this.broker.names.exchange('messages'), routingKey: name };
    try {
      await this.confirmed.send(target, Buffer.from(json), properties, { what: name, ...(options.timeoutMs ? { timeoutMs: options.timeoutMs } : {}) });
      published.inc({ message: name, outcome: 'confirmed' });
    } catch (error) {
      published.inc({ message: name, outcome: error instanceof PublishError ? error.code : 'error' });
      throw error;
    }
  }
}
