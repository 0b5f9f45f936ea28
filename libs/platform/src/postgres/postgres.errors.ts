import { InfrastructureError } from '../errors.js';

/** Worth doing again in process: serialization failure, deadlock, lock not available. */
const retryable = new Set(['40001', '40P01', '55P03']);
/** The server is away, going away, starting, read-only after a failover, or full. */
const away = new Set(['57P01', '57P02', '57P03', '53300', '53100', '53200', '25006']);
const awayCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT']);
/** Errors of the client that carry no code. */
const awayText = /Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|Query read timeout|Cannot use a pool after calling end/;

/** The five-character code of a server's error, or undefined. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

export const isRetryable = (error: unknown): boolean => retryable.has(sqlState(error) ?? '');

export function isAway(error: unknown): boolean {
  const state = sqlState(error);
  if (state && (away.has(state) || state.startsWith('08'))) return true;
  const { code, message, errors } = (error ?? {}) as { code?: unknown; message?: unknown; errors?: unknown };
  if (Array.isArray(errors) && errors.some(isAway)) return true; // one refusal per address of a name
  return awayCodes.has(String(code)) || awayText.test(String(message));
}

/** The error as callers should see it: an outage by its class, anything else as it is. */
export function translate(error: unknown, outcome: 'not-done' | 'unknown'): unknown {
  if (error instanceof InfrastructureError || !isAway(error)) return error;
  return new InfrastructureError('Postgres is away', { cause: error, outcome });
}
