import type { Roots } from '../process-cpu.js';

/** Somebody who is measured: answers grabs over HTTP, and does what lies behind that. */
export interface Subject {
  readonly name: string;
  /** The processes whose time counts, servers included. */
  readonly roots: Roots;
  /** A fresh sale with so many units; with none it is sold out, and known to be. */
  offer(units: number): Promise<Offering>;
}

/** A sale as the load meets it. */
export interface Offering {
  readonly origin: URL;
  /** The bytes of a grab, latin1: another idempotency key each time, buyers in turn. @param nth from 0 */
  readonly request: (nth: number) => string;
  /** Sales on record so far; null where there is no record. */
  readonly persisted: (() => Promise<number>) | null;
  /** Reads what is to be known afterwards; not part of what is measured. */
  readonly inspect?: () => Promise<Inspected>;
}

export interface Inspected {
  readonly audit: 'clean' | 'broken' | 'unknown';
  /** From the script that admitted a sale to the row that was committed, milliseconds. */
  readonly reservedToRowMs: { readonly p50: number; readonly p99: number };
}

/** Buyers who press in turn. As many as keep each of them below the rates of an account, at any speed that a machine reaches. */
export const buyersMax = 4_000;
/** Of the network for such measurements (RFC 2544), one address each: the load stands where a proxy does. */
export const addressOf = (buyer: number): string => `198.18.${buyer >> 8}.${buyer & 255}`;

/** The bytes of a grab, but for its key. */
export function grabBytes({ origin, path, token, from, body }: { origin: URL; path: string; token?: string; from?: string; body: (key: string) => string }): (key: string) => string {
  const sender = `${token === undefined ? '' : `authorization: Bearer ${token}\r\n`}${from === undefined ? '' : `x-forwarded-for: ${from}\r\n`}`;
  const head = `POST ${path} HTTP/1.1\r\nhost: ${origin.host}\r\n${sender}content-type: application/json\r\n`;
  return (key) => {
    const content = body(key);
    return `${head}idempotency-key: ${key}\r\ncontent-length: ${Buffer.byteLength(content)}\r\n\r\n${content}`;
  };
}
