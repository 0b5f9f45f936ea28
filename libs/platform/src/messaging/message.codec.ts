import { messages, type MessageBody, type MessageName } from '@floodgate/contracts';
import type { ConsumeMessage, Options } from 'amqplib';
import { PermanentError } from '../errors.js';
import { requestIdPattern } from '../telemetry/work.js';

/** The version of the envelope and bodies. A receiver ignores unknown fields; another major version is beyond it. */
const VERSION = 1;

/** One message as a handler gets it. `attempt` counts from 1. */
export type Delivery<N extends MessageName = MessageName> = N extends MessageName
  ? { name: N; body: MessageBody<N>; messageId: string; attempt: number; occurredAtMs: number; requestId?: string; traceparent?: string }
  : never;

/** What stands beside a body. */
export interface Envelope {
  messageId: string;
  occurredAtMs: number;
  attempt: number;
  /** Of the client's request that it comes from, where it comes from one. */
  requestId?: string;
  traceparent?: string;
}

/**
 * The body as its schema wants it, as JSON.
 * @throws PermanentError if it does not fit: a bug of the sender, found before the wire
 */
export function encodeBody(name: MessageName, body: unknown): string {
  const parsed = messages[name].safeParse(body);
  if (!parsed.success) throw new PermanentError(`${name} does not fit its schema: ${issuesOf(parsed.error)}`);
  return JSON.stringify(parsed.data);
}

export function messageProperties(name: string, envelope: Envelope): Options.Publish {
  return {
    type: name,
    messageId: envelope.messageId,
    contentType: 'application/json',
    headers: {
      v: VERSION,
      occurredAt: envelope.occurredAtMs,
      attempt: envelope.attempt,
      ...(envelope.requestId ? { requestId: envelope.requestId } : {}),
      ...(envelope.traceparent ? { traceparent: envelope.traceparent } : {}),
    },
  };
}

/** What can be read of any message, however broken; for dead letters too. */
export function envelopeOf(message: ConsumeMessage): Envelope & { name: string } {
  const { properties, fields } = message;
  const headers = properties.headers ?? {};
  return {
    name: String(properties.type || fields.routingKey),
    messageId: String(properties.messageId ?? ''),
    // Bounded to what a date and an int4 hold: a dead letter with absurd headers must still be storable.
    occurredAtMs: Math.min(naturalOr(headers.occurredAt, 0), 8.64e15),
    attempt: Math.min(Math.max(1, naturalOr(headers.attempt, 1)), 1_000_000),
    ...originOf(headers),
  };
}

/**
 * @param expected the message names that may stand in this queue
 * @throws PermanentError for what no retry makes readable
 */
export function decodeMessage(message: ConsumeMessage, expected: readonly MessageName[]): Delivery {
  const envelope = envelopeOf(message);
  const name = expected.find((candidate) => candidate === envelope.name);
  if (!name) throw new PermanentError(`unknown message ${envelope.name}`);
  const version: unknown = message.properties.headers?.v;
  if (version !== VERSION) throw new PermanentError(`${name} has version ${String(version)}, known is ${VERSION}`);
  if (!envelope.messageId) throw new PermanentError(`${name} has no message id`);
  const parsed = messages[name].safeParse(parseJson(message.content));
  if (!parsed.success) throw new PermanentError(`${name} does not fit its schema: ${issuesOf(parsed.error)}`);
  return { ...envelope, name, body: parsed.data } as Delivery;
}

/** @throws PermanentError if it is no JSON */
export function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8')) as unknown;
  } catch (error) {
    throw new PermanentError('the body is not JSON', { cause: error });
  }
}

export function issuesOf(error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string {
  return error.issues.slice(0, 5).map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`).join('; ');
}

/** The request, and the step of its trace, that a message or a question comes from. */
export const originOf = ({ requestId, traceparent }: Record<string, unknown> = {}): { requestId?: string; traceparent?: string } => ({
  ...(typeof requestId === 'string' && requestIdPattern.test(requestId) ? { requestId } : {}),
  ...(typeof traceparent === 'string' ? { traceparent } : {}),
});

const naturalOr = (value: unknown, fallback: number): number => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fallback);
