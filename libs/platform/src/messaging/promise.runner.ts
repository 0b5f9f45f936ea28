import { queues, type Queue, type QueueName } from '@floodgate/contracts';
import { Logger } from '@nestjs/common';
import type { ConsumeMessage, Options } from 'amqplib';
import { crashPoint } from '../crash-points.js';
import { PermanentError, SplitError, classifyFailure, errorText } from '../errors.js';
import { handled, handlerSeconds, messageAgeSeconds } from '../telemetry/metrics.js';
import { together } from '../telemetry/trace.js';
import { partOf, workFor } from '../telemetry/work.js';
import type { ConfirmedPublisher } from './confirmed.publisher.js';
import { deadLetterProperties, retryProperties, type DeadReason } from './dead.letters.js';
import type { Verdict } from './handler.decorators.js';
import { decodeMessage, encodeBody, envelopeOf, messageProperties, type Delivery } from './message.codec.js';
import type { BatchRunner, Received } from './queue.consumer.js';
import type { BrokerNames } from './topology.declaration.js';

interface Item {
  received: Received;
  delivery: Delivery;
}

/**
 * What becomes of the messages of a queue that carries promises. None is acknowledged before its effect, its next try or its dead
 * letter is safe; any of these may therefore happen twice.
 */
export class PromiseRunner {
  private readonly logger: Logger;
  private readonly row: Queue;

  constructor(
    private readonly queue: QueueName,
    private readonly names: BrokerNames,
    private readonly publisher: ConfirmedPublisher,
    private readonly handler: (deliveries: Delivery[]) => Promise<unknown>,
  ) {
    this.logger = new Logger(`consumer ${queue}`);
    this.row = queues[queue];
    // A counter that is born at 1 has, to whoever asks for a rate, never risen.
    for (const outcome of ['done', 'retried', 'dead', 'split']) handled.inc({ queue, outcome }, 0);
  }

  readonly run: BatchRunner = async (batch, ack) => {
    const items: Item[] = [];
    for (const received of batch) {
      const delivery = this.decode(received.message);
      if (delivery instanceof PermanentError) await this.bury(received, 'permanent', delivery, ack);
      else items.push({ received, delivery });
    }
    const oldestMs = items.reduce((oldest, { delivery }) => Math.min(oldest, delivery.occurredAtMs), Infinity);
    if (items.length > 0) messageAgeSeconds.observe({ queue: this.queue }, Math.max(0, Date.now() - oldestMs) / 1_000);
    await this.handle(items, ack);
  };

  private decode(message: ConsumeMessage): Delivery | PermanentError {
    try {
      return decodeMessage(message, this.row.binds);
    } catch (error) {
      return error instanceof PermanentError ? error : new PermanentError('unreadable', { cause: error });
    }
  }

  private async handle(items: Item[], ack: Ack): Promise<void> {
    if (items.length === 0) return;
    const stop = handlerSeconds.startTimer({ queue: this.queue });
    let verdicts: Verdict[];
    try {
      const result = await this.process(items.map(({ delivery }) => delivery));
      verdicts = Array.isArray(result) ? (result as Verdict[]) : items.map(() => 'done');
      if (verdicts.length !== items.length) throw new Error(`${verdicts.length} verdicts on ${items.length} messages`);
    } catch (error) {
      stop();
      return this.fail(items, error, ack);
    }
    stop();
    // First all that is done: a failure among the others may pause the consumer and give back what is not acknowledged.
    items.forEach((item, index) => { if (verdicts[index] === 'done') this.done(item, ack); });
    for (const [index, item] of items.entries()) {
      const verdict = verdicts[index];
      if (verdict !== undefined && verdict !== 'done') await this.fail([item], verdict.failed, ack);
    }
  }

  private process(deliveries: Delivery[]): Promise<unknown> {
    return together(deliveries, `process ${this.queue}`, () => ({ kind: 'consumer', attributes: { 'messaging.system': 'rabbitmq', 'messaging.batch.message_count': deliveries.length } }), () => this.handler(deliveries));
  }

  private async fail(items: Item[], error: unknown, ack: Ack): Promise<void> {
    const failure = classifyFailure(error);
    if (failure === 'infrastructure') throw error;
    const [first] = items;
    if (!first) return;
    if (items.length > 1) {
      // One of them is guilty; the others must not wait for its retries.
      this.logger.warn(`a batch of ${items.length} is halved: ${errorText(error)}`);
      const half = Math.ceil(items.length / 2);
      await this.handle(items.slice(0, half), ack);
      await this.handle(items.slice(half), ack);
      return;
    }
    if (failure === 'permanent') return this.bury(first.received, 'permanent', error, ack);
    if (error instanceof SplitError && error.bodies.length > 1) return this.split(first, error.bodies, ack);
    if (first.delivery.attempt >= this.row.attempts) return this.bury(first.received, 'attempts-exhausted', error, ack);
    return this.retry(first, error, ack);
  }

  private done(item: Item, ack: Ack): void {
    crashPoint('consume.before-ack');
    ack(item.received);
    handled.inc({ queue: this.queue, outcome: 'done' });
  }

  private async retry(item: Item, error: unknown, ack: Ack): Promise<void> {
    const { message } = item.received;
    const { name, messageId, attempt, requestId } = item.delivery;
    partOf(workFor(requestId), () => this.logger.warn(`${name} ${messageId} failed, attempt ${attempt} of ${this.row.attempts}: ${errorText(error)}`));
    await this.send(this.names.tierOf(this.queue, attempt), message.content, retryProperties(message, envelopeOf(message), error));
    ack(item.received);
    handled.inc({ queue: this.queue, outcome: 'retried' });
  }

  private async bury(received: Received, reason: DeadReason, error: unknown, ack: Ack): Promise<void> {
    const { message } = received;
    const { name, messageId, requestId } = envelopeOf(message);
    partOf(workFor(requestId), () => this.logger.error(`${name} ${messageId} is a dead letter (${reason}): ${errorText(error)}`));
    await this.send(this.names.dead(this.queue), message.content, deadLetterProperties(message, this.queue, reason, error));
    ack(received);
    handled.inc({ queue: this.queue, outcome: 'dead' });
  }

  /** The pieces keep the attempt of the whole; their ids follow from its id, so a repeated split repeats them. */
  private async split(item: Item, bodies: unknown[], ack: Ack): Promise<void> {
    const { delivery, received } = item;
    const { name, occurredAtMs, attempt, requestId, traceparent } = delivery;
    await Promise.all(bodies.map((body, index) => {
      const envelope = { messageId: `${delivery.messageId}.${index}`, occurredAtMs, attempt, ...(requestId ? { requestId } : {}), ...(traceparent ? { traceparent } : {}) };
      return this.send(this.names.queue(this.queue), Buffer.from(encodeBody(name, body)), messageProperties(name, envelope));
    }));
    ack(received);
    handled.inc({ queue: this.queue, outcome: 'split' });
  }

  private send(queue: string, content: Buffer, properties: Options.Publish): Promise<void> {
    return this.publisher.send({ exchange: '', routingKey: queue }, content, properties, { what: queue });
  }
}

type Ack = (received: Received) => void;
