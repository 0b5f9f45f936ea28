import { queues, type QueueName } from '@floodgate/contracts';
import type { ConsumeMessage, Options } from 'amqplib';
import { errorText, PermanentError } from '../errors.js';
import { decodeMessage, envelopeOf, messageProperties, originOf, type Delivery, type Envelope } from './message.codec.js';

/** A message that could not be processed, as it is kept. `body` is as it came, whatever it is. */
export interface DeadLetter {
  /** The queue in which it failed. */
  queue: QueueName;
  name: string;
  messageId: string;
  body: Buffer;
  headers: Record<string, unknown>;
  /** `permanent`: no retry could help; `attempts-exhausted`: every tier was tried; `broker`: the broker moved it here by itself. */
  reason: DeadReason;
  firstError: string;
  lastError: string;
  attempts: number;
  occurredAtMs: number;
}

/** What a replay needs of a letter. */
export type ReplayableLetter = Pick<DeadLetter, 'queue' | 'name' | 'messageId' | 'body' | 'headers' | 'occurredAtMs'>;

export type DeadReason = 'permanent' | 'attempts-exhausted' | 'broker';

/** Properties of the next try. Written anew: a copied `x-death` would arm the broker's cycle detector, which drops silently. */
export function retryProperties(message: ConsumeMessage, envelope: Envelope & { name: string }, error: unknown): Options.Publish {
  const properties = messageProperties(envelope.name, { ...envelope, attempt: envelope.attempt + 1 });
  return { ...properties, headers: { ...properties.headers, ...errorsOf(message, error) } };
}

export function deadLetterProperties(message: ConsumeMessage, queue: QueueName, reason: DeadReason, error: unknown): Options.Publish {
  const envelope = envelopeOf(message);
  const properties = messageProperties(envelope.name, envelope);
  // What a sender wrote is kept as it was, so that a replay or a person sees it: the version above all.
  const v: unknown = message.properties.headers?.v;
  return { ...properties, headers: { ...properties.headers, ...(v === undefined ? {} : { v }), ...errorsOf(message, error), queue, reason } };
}

/** What a replay carries beside the body: the same id and version, its attempts counted anew. */
export function replayProperties({ name, messageId, occurredAtMs, headers: { v, requestId, traceparent } }: ReplayableLetter): Options.Publish {
  const properties = messageProperties(name, { messageId, occurredAtMs, attempt: 1 });
  const kept = { ...(v === undefined ? {} : { v }), ...originOf({ requestId, traceparent }) };
  return { ...properties, headers: { ...properties.headers, ...kept } };
}

/**
 * The letter as its consumer would get it from a replay: read by the code that reads every message.
 * @throws PermanentError for what would be a dead letter again at once
 */
export function readReplay(letter: ReplayableLetter): Delivery {
  if (!Object.hasOwn(queues, letter.queue)) throw new PermanentError(`there is no queue ${letter.queue} any more`);
  const message = { content: letter.body, properties: replayProperties(letter), fields: { routingKey: letter.queue } };
  return decodeMessage(message as ConsumeMessage, queues[letter.queue].binds);
}

export function readDeadLetter(message: ConsumeMessage, queue: QueueName): DeadLetter {
  const headers = (message.properties.headers ?? {}) as Record<string, unknown>;
  const { attempt, name, messageId, occurredAtMs } = envelopeOf(message);
  const text = (value: unknown, fallback: string) => (typeof value === 'string' ? value : fallback);
  return {
    queue: Object.hasOwn(queues, String(headers.queue)) ? (headers.queue as QueueName) : queue,
    name,
    messageId,
    body: message.content,
    headers,
    reason: headers.reason === 'permanent' || headers.reason === 'attempts-exhausted' ? headers.reason : 'broker',
    firstError: text(headers.firstError, 'dead-lettered by the broker'),
    lastError: text(headers.lastError, 'dead-lettered by the broker'),
    attempts: attempt,
    occurredAtMs,
  };
}

function errorsOf(message: ConsumeMessage, error: unknown): { firstError: string; lastError: string } {
  const first: unknown = message.properties.headers?.firstError;
  const last = errorText(error);
  return { firstError: typeof first === 'string' ? first : last, lastError: last };
}
