import { problems, type ProblemCode, type Refusal } from '@floodgate/contracts';
import type { FastifyReply } from 'fastify';
import { countRefusal } from '../metrics.js';

/** How long a client should wait, milliseconds, before jitter: long enough to drain a queue, short enough not to lose a sale. */
const retryAfterMs: Partial<Record<ProblemCode, number>> = {
  RATE_LIMITED: 1_000,
  OVERLOADED: 500,
  UNAVAILABLE: 1_000,
  OUTCOME_UNKNOWN: 500,
};

/**
 * Answers with the problem document of a refusal (RFC 9457). 429 and 503 carry `Retry-After` and `retryAfterMs`,
 * jittered so that those turned away together do not come back together.
 * @param status where HTTP has a more exact one than the code
 */
export function sendProblem(reply: FastifyReply, refusal: Refusal, status: number = problems[refusal.code].status): void {
  countRefusal(refusal.code, refusal.extra?.['scope']);
  const body: Record<string, unknown> = { ...problemBody(refusal, reply.request.id), status };
  const wait = body['retryAfterMs'];
  if (typeof wait === 'number') reply.header('retry-after', String(Math.ceil(wait / 1_000)));
  // To a text that is sent as one Fastify would add a charset, which this type does not have; bytes would leave in a second piece after the head.
  reply.code(status).header('content-type', 'application/problem+json').serializer(JSON.stringify).send(body);
}

/** The problem document of a refusal. Members of `extra` never replace the common ones; an invalid request always names a place. */
export function problemBody(refusal: Refusal, requestId: string): Record<string, unknown> {
  const { status, title } = problems[refusal.code];
  return {
    ...(refusal.code === 'INVALID_REQUEST' ? { errors: [{ path: '', message: refusal.detail }] } : {}),
    ...refusal.extra,
    ...waitMembers(refusal),
    type: `urn:floodgate:problem:${refusal.code}`,
    title,
    status,
    detail: refusal.detail,
    code: refusal.code,
    requestId,
  };
}

function waitMembers(refusal: Refusal): { retryAfterMs?: number } {
  const baseMs = retryAfterMs[refusal.code];
  if (baseMs === undefined || typeof refusal.extra?.['retryAfterMs'] === 'number') return {};
  return { retryAfterMs: Math.round(baseMs * (1 + Math.random())) };
}
