import { Catch, UseFilters, applyDecorators, type RpcExceptionFilter } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import {
  queues, type Answer, type Ask, type Board, type instanceQueues, type InstanceQueueName, type QueueName, type RequestName,
} from '@floodgate/contracts';
import { throwError, type Observable } from 'rxjs';
import type { DeadLetter } from './dead.letters.js';
import type { Delivery } from './message.codec.js';

/** The messages that a queue can hold. */
export type DeliveryOf<Q extends QueueName> = Delivery<(typeof queues)[Q]['binds'][number]>;
export type InstanceDeliveryOf<Q extends InstanceQueueName> = Delivery<(typeof instanceQueues)[Q]['binds'][number]>;

/** Per message of a batch, in its order, where one word for all will not do: done, or failed with what would have been thrown. */
export type Verdict = 'done' | { failed: unknown };

export interface BatchOptions {
  /** At most so many messages in one call (and never more than the queue's prefetch). */
  sizeMax: number;
  /** How long the first message of a batch waits for company while nothing is being handled. */
  waitMs: number;
}

export interface ConsumeOptions {
  batch?: BatchOptions;
  /** Calls of the handler at the same time. Default: 1 with `batch` (what arrives meanwhile is the next batch), else the prefetch. */
  concurrency?: number;
}

/** What a handler is for, read by AmqpServer from the pattern's extras. */
export type HandlerKind =
  | { kind: 'consume'; queue: QueueName; options: ConsumeOptions }
  | { kind: 'instance'; queue: InstanceQueueName }
  | { kind: 'board' }
  | { kind: 'answer'; request: RequestName }
  | { kind: 'dead-letters' };

type Handler<A, R> = <M extends (arg: A) => R>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>) => void;

/** Nest answers every unknown error with "Internal server error"; consumers must see the original to know its class. */
@Catch()
class OriginalErrorFilter implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

const handler = (pattern: MethodDecorator): MethodDecorator => applyDecorators(pattern, UseFilters(new OriginalErrorFilter()));
const event = (pattern: string, extras: HandlerKind) => handler((EventPattern as (pattern: string, extras: object) => MethodDecorator)(pattern, extras)) as Handler<never, unknown>;

/**
 * Handles a queue's messages; always an array, of one without `batch`. Resolved = all done and acknowledged.
 * PermanentError → dead letter at once. InfrastructureError → the consumer pauses, no attempt is counted. SplitError → the message
 * goes out again in pieces. Anything else: a batch is halved and tried again until the guilty message stands alone; that one waits
 * in the next retry tier, and after the queue's `attempts` is a dead letter. A handler must bear being called again.
 */
export const Consume = <Q extends QueueName>(queue: Q, options: ConsumeOptions = {}) =>
  event(`consume:${queue}`, { kind: 'consume', queue, options }) as Handler<DeliveryOf<Q>[], Promise<void | Verdict[]>>;

/** Hints for this instance alone: no retry, and what comes while the link is down is lost. */
export const ConsumeInstance = <Q extends InstanceQueueName>(queue: Q) =>
  event(`instance:${queue}`, { kind: 'instance', queue }) as Handler<InstanceDeliveryOf<Q>[], void | Promise<void>>;

/** Every beat of the board. */
export const ConsumeBoard = () => event('board', { kind: 'board' }) as Handler<Board, void | Promise<void>>;

/** The dead letters of all queues. They stay in the broker until the handler has resolved. */
export const ConsumeDeadLetters = () => event('dead-letters', { kind: 'dead-letters' }) as Handler<DeadLetter[], Promise<void>>;

/** Answers a request. An error thrown here reaches the asker as FAILED with its message; refusals are values. */
export const Answers = <N extends RequestName>(request: N) =>
  handler(MessagePattern(`answer:${request}`, { kind: 'answer', request } satisfies HandlerKind)) as Handler<Ask<N>, Promise<Answer<N>> | Answer<N>>;
