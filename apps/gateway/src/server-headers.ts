import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * What every answer tells a browser: this is data, show it nowhere, run nothing in it, tell nobody where it came from, keep no copy. A handful
 * of fixed lines; a library would put a dozen together again for each of a million refusals.
 */
export const fixedHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;
/** A year; only where TLS is certain. */
const strictTransport = { 'strict-transport-security': 'max-age=31536000' };

const allowedMethods = 'GET, POST, PUT, PATCH, DELETE';
const allowedHeaders = 'authorization, content-type, idempotency-key, if-none-match, last-event-id, x-request-id';
const exposedHeaders = 'etag, idempotency-replayed, retry-after, x-request-id';
/** A browser asks again after this; ten minutes are what all of them honour. */
const preflightSeconds = '600';

export interface BrowserRules {
  production: boolean;
  /** Pages of these origins may call this API. */
  origins: readonly string[];
}

/**
 * The headers of every answer, and whether a page of another origin may read it: no page may, unless its origin is configured.
 * @returns a function that sets them, and is true where it has answered the request itself (a preflight of a configured origin)
 */
export function browserHeaders({ production, origins }: BrowserRules): (request: FastifyRequest, reply: FastifyReply) => boolean {
  const headers: Record<string, string> = { ...fixedHeaders, ...(production ? strictTransport : {}), ...(origins.length > 0 ? { vary: 'origin' } : {}) };
  const allowed = new Set(origins);
  return (request, reply) => {
    reply.headers(headers);
    const { origin } = request.headers;
    // Never `*`, never with cookies, and never an origin just because it asks.
    if (origin === undefined || !allowed.has(origin)) return false;
    reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': exposedHeaders });
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
    reply.headers({ 'access-control-allow-methods': allowedMethods, 'access-control-allow-headers': allowedHeaders, 'access-control-max-age': preflightSeconds }).code(204).send();
    return true;
  };
}

/** The fixed headers as they stand in an answer that is written by hand. */
export const fixedHeaderLines = Object.entries(fixedHeaders).map(([name, value]) => `${name}: ${value}\r\n`).join('');
