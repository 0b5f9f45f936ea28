import type { Page } from '@floodgate/contracts';
import { Failure, usageFailure } from '../failure.js';
import type { Connection } from './connection.js';
import { problemOf, refusal } from './refusal.js';

export interface Listed<T> { items: T[]; more: boolean }
type Query = Readonly<Record<string, string | number | boolean>>;

/** The most that the contract gives in one page. */
const pageMax = 100;
/** Errors before a byte was sent: whatever was asked for has not happened. */
const notSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT', 'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID']);

/** The gateway's HTTP contract, with one token. Each call throws a {@link Failure} for whatever is no success. */
export class Gateway {
  /** @param timeoutMs for each answer, from the sending to the last byte */
  constructor(private readonly connection: Connection, private readonly timeoutMs: number, private readonly stop: AbortSignal) {}

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.call('GET', path, query);
  }

  post<T>(path: string, body?: unknown, query: Query = {}): Promise<T> {
    return this.call('POST', path, query, body);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.call('PUT', path, {}, body);
  }

  delete(path: string): Promise<void> {
    return this.call('DELETE', path, {});
  }

  /** The first `limit` items that `keep` wants, in as many pages as it takes; `more`: the list may go on. */
  async list<T>(path: string, { limit, keep = () => true }: { limit: number; keep?: (item: T) => boolean }): Promise<Listed<T>> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<T> = await this.get(path, { limit: Math.min(pageMax, limit), ...(cursor === null ? {} : { cursor }) });
      items.push(...page.items.filter(keep));
      cursor = page.nextCursor;
    } while (cursor !== null && items.length < limit);
    return { items: items.slice(0, limit), more: items.length > limit || cursor !== null };
  }

  private async call<T>(method: string, path: string, query: Query, body?: unknown): Promise<T> {
    const url = new URL(path.replace(/^\//, ''), this.connection.url);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const { status, headers, text } = await this.send(method, url, body);
    if (status >= 200 && status < 300) {
      const value = parse(text);
      if (value !== undefined || text === '') return value as T;
      throw new Failure('unknown', `${url.origin} answered ${status} with something else than JSON: is it the gateway?`);
    }
    throw refusal(method, problemOf(status, parse(text)), headers.get('retry-after'));
  }

  private async send(method: string, url: URL, body: unknown): Promise<{ status: number; headers: Headers; text: string }> {
    const headers = { authorization: `Bearer ${this.connection.token}`, accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const signal = AbortSignal.any([AbortSignal.timeout(this.timeoutMs), this.stop]);
    try {
      // A redirect would carry the token to wherever it points; the gateway sends none.
      const response = await fetch(url, { method, headers, redirect: 'manual', signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      if (this.stop.aborted) throw new Failure('interrupted', method === 'GET' ? 'stopped' : 'stopped before the answer: it may have been done; look before you ask again');
      throw unreachable(method, url, error, this.timeoutMs);
    }
  }
}

/** A name or id as a segment of a path: `..` or a slash would ask for something else than was meant. */
export function segment(text: string): string {
  if (/^[\w.~-]{1,128}$/.test(text) && !/^\.{1,2}$/.test(text)) return text;
  throw usageFailure(`${JSON.stringify(text)} is no id: letters, digits and . _ ~ - only`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(method: string, url: URL, error: unknown, timeoutMs: number): Failure {
  const code = codeOf(error);
  if (code !== null && notSent.has(code)) return new Failure('unknown', `${url.origin} cannot be reached (${code}); nothing was asked`);
  const what = (error as Error).name === 'TimeoutError' ? `no answer from ${url.origin} within ${timeoutMs / 1000} s` : `the connection to ${url.origin} broke (${code ?? 'no reason given'})`;
  return new Failure('unknown', method === 'GET' ? what : `${what}: it may have been done; look before you ask again`);
}

/** The system's word for an error, wherever fetch has put it. */
function codeOf(error: unknown): string | null {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
  }
  return null;
}
