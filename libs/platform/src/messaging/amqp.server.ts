import { instanceQueues, queues, requestQueues, requests, type MessageName, type Queue, type QueueName, type RequestName, type RequestQueueName } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { Readiness } from '../shutdown/readiness.js';
import { consumerUp } from '../telemetry/metrics.js';
import { Broker } from './broker.js';
import { ConsumerProbes } from './consumer.probes.js';
import { ConsumerWatchdog } from './consumer.watchdog.js';
import type { HandlerKind } from './handler.decorators.js';
import { boardRunner, deadLetterRunner, hintRunner } from './hint.runners.js';
import { KeptChannel } from './kept.channel.js';
import { PromiseRunner } from './promise.runner.js';
import { Publisher } from './publisher.js';
import { QueueConsumer, type ConsumerSpec } from './queue.consumer.js';
import { QueueGauge } from './queue.gauge.js';
import { QueueInspector } from './queue.inspector.js';
import { RequestResponder, type AnswerHandler } from './request.responder.js';
import { declareExchanges, declareHintQueue, declareQueue } from './topology.declaration.js';

// Within the ten seconds that a shutdown may take.
const DRAIN_MS = 7_000;
const HINTS_KEPT_MAX = { instance: 10_000, board: 256 };

/** What the server needs beside its handlers. */
@Injectable()
export class AmqpServerParts {
  constructor(readonly broker: Broker, readonly publisher: Publisher, readonly inspector: QueueInspector, readonly probes: ConsumerProbes, readonly readiness: Readiness) {}
}

/** Nest's transport for the handlers marked @Consume, @ConsumeInstance, @ConsumeBoard, @ConsumeDeadLetters and @Answers. */
export class AmqpServer extends Server implements CustomTransportStrategy {
  private readonly consumers: QueueConsumer[] = [];
  private readonly promises: QueueConsumer[] = [];
  private readonly responders: RequestResponder[] = [];
  private replies: KeptChannel | undefined;
  private watchdog: ConsumerWatchdog | undefined;
  private gauge: QueueGauge | undefined;
  private draining: Promise<void> | undefined;

  constructor(private readonly parts: AmqpServerParts) {
    super();
  }

  /** Two handlers of one queue would each get every message and acknowledge for the other. */
  override addHandler(pattern: unknown, callback: MessageHandler, isEventHandler?: boolean, extras?: Record<string, unknown>): void {
    if (this.messageHandlers.has(String(pattern))) throw new Error(`there are two handlers for ${String(pattern)}`);
    super.addHandler(pattern, callback, isEventHandler, extras);
  }

  /** Starts to consume and returns at once: the broker may come later, readiness says when. */
  listen(callback: (error?: unknown) => void): void {
    try {
      const answers = new Map<RequestQueueName, Map<RequestName, AnswerHandler>>();
      for (const handler of this.messageHandlers.values()) {
        const extras = handler.extras as HandlerKind;
        if (extras.kind === 'answer') {
          const queue = requests[extras.request].to;
          answers.set(queue, (answers.get(queue) ?? new Map<RequestName, AnswerHandler>()).set(extras.request, caller(handler)));
        } else {
          this.consumeAs(extras, caller(handler));
        }
      }
      this.answer(answers);
      this.watch();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Every consumer subscribed (or paused on purpose) and every request queue answered. */
  ready(): boolean {
    return this.consumers.every((consumer) => consumer.ready) && this.responders.every((responder) => responder.ready);
  }

  /** Consumers that wait for a server to come back. */
  pausedQueues(): string[] {
    return this.consumers.filter((consumer) => consumer.paused).map((consumer) => consumer.spec.name);
  }

  /** Takes no more, finishes and settles what is under way; what is not finished in time goes back to the broker. */
  close(): Promise<void> {
    this.draining ??= this.drain();
    return this.draining;
  }

  on(): never {
    throw new Error('the broker emits no events through Nest');
  }

  unwrap(): never {
    throw new Error('there is no single connection behind this server');
  }

  private async drain(): Promise<void> {
    this.watchdog?.stop();
    this.gauge?.stop();
    await Promise.all([...this.consumers, ...this.responders].map((each) => each.stop(DRAIN_MS)));
    await this.replies?.close();
  }

  private consumeAs(kind: Exclude<HandlerKind, { kind: 'answer' }>, handler: (argument: unknown) => Promise<unknown>): void {
    const { broker, publisher, probes } = this.parts;
    const { names } = broker;
    if (kind.kind === 'consume') {
      const row: Queue = queues[kind.queue];
      const { batch, concurrency } = kind.options;
      const runner = new PromiseRunner(kind.queue, names, publisher.confirmed, handler);
      const consumer = this.add({
        name: kind.queue,
        declare: async (channel) => {
          await declareExchanges(channel, names);
          await declareQueue(channel, names, kind.queue);
          return names.queue(kind.queue);
        },
        prefetch: row.prefetch,
        sizeMax: Math.min(batch?.sizeMax ?? 1, row.prefetch),
        waitMs: batch?.waitMs ?? 0,
        concurrency: concurrency ?? (batch ? 1 : row.prefetch),
        run: runner.run,
        // Retries and dead letters need the publisher.
        probe: async () => publisher.state === 'up' && (await probes.back(kind.queue)),
      });
      this.parts.inspector.track(kind.queue, consumer);
      this.promises.push(consumer);
    } else if (kind.kind === 'instance') {
      const row: { binds: readonly MessageName[]; prefetch: number } = instanceQueues[kind.queue];
      this.addHints(kind.queue, { prefetch: row.prefetch, lengthMax: HINTS_KEPT_MAX.instance, binds: row.binds, exchange: 'messages' }, hintRunner(kind.queue, row.binds, handler));
    } else if (kind.kind === 'board') {
      this.addHints('board', { prefetch: 64, lengthMax: HINTS_KEPT_MAX.board, binds: [''], exchange: 'board' }, boardRunner(handler));
    } else {
      for (const queue of Object.keys(queues) as QueueName[]) this.addDeadLetters(queue, handler);
    }
  }

  private addDeadLetters(queue: QueueName, handler: (argument: unknown) => Promise<unknown>): void {
    const { broker: { names }, publisher, probes } = this.parts;
    this.add({
      name: `${queue} dead letters`,
      declare: async (channel) => {
        await declareExchanges(channel, names);
        await declareQueue(channel, names, queue);
        return names.dead(queue);
      },
      prefetch: 16, sizeMax: 16, waitMs: 50, concurrency: 1,
      run: deadLetterRunner(queue, names.dead(queue), publisher.confirmed, handler),
      probe: () => probes.back(null),
    });
  }

  private addHints(
    name: 'board' | keyof typeof instanceQueues,
    row: { prefetch: number; lengthMax: number; binds: readonly string[]; exchange: 'messages' | 'board' },
    run: ConsumerSpec['run'],
  ): void {
    const { names } = this.parts.broker;
    this.add({
      name,
      declare: async (channel) => {
        await declareExchanges(channel, names);
        const queue = names.instance(name);
        await declareHintQueue(channel, queue, row.lengthMax);
        for (const bind of row.binds) await channel.bindQueue(queue, names.exchange(row.exchange), bind);
        return queue;
      },
      prefetch: row.prefetch, sizeMax: row.prefetch, waitMs: 0, concurrency: 1, run,
    });
  }

  private add(spec: ConsumerSpec): QueueConsumer {
    const consumer = new QueueConsumer(this.parts.broker.consume, spec);
    this.consumers.push(consumer);
    return consumer;
  }

  private answer(answers: Map<RequestQueueName, Map<RequestName, AnswerHandler>>): void {
    if (answers.size === 0) return;
    const replies = new KeptChannel(this.parts.broker.request, 'plain', { name: 'answers' });
    this.replies = replies;
    for (const queue of requestQueues) {
      const handlers = answers.get(queue);
      if (handlers) this.responders.push(new RequestResponder(this.parts.broker, queue, handlers, replies));
    }
  }

  private watch(): void {
    const { readiness, inspector, publisher, broker } = this.parts;
    this.gauge = new QueueGauge(this.promises.map(({ spec }) => spec.name as QueueName), broker.names, inspector);
    this.gauge.start();
    consumerUp.read = () => this.consumers.map((consumer) => [{ queue: consumer.spec.name }, Number(consumer.ready && !consumer.paused)]);
    const watchdog = new ConsumerWatchdog(this.promises, inspector);
    this.watchdog = watchdog;
    watchdog.start();
    readiness.register('broker', () => publisher.state !== 'down');
    readiness.register('consumers', () => this.ready() && watchdog.alive());
    readiness.registerLive('consumers', () => watchdog.alive());
  }
}

/** Nest's handlers answer errors as a stream that fails. */
function caller(handler: MessageHandler): (argument: unknown) => Promise<unknown> {
  return async (argument) => {
    const result: unknown = await handler(argument);
    return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
  };
}
