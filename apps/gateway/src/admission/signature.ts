import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** A key from a secret's UTF-8 bytes. */
export const signingKey = (secret: string): KeyObject => createSecretKey(Buffer.from(secret, 'utf8'));

/** HMAC-SHA256 in base64url, 43 characters. */
export const sign = (text: string, key: KeyObject): string => createHmac('sha256', key).update(text).digest('base64url');

/**
 * Whether `signature` is exactly what {@link sign} writes. The encoded form is compared, not the bytes, so that none of the other
 * spellings of the same bytes is taken.
 */
export function isSignedBy(key: KeyObject, text: string, signature: string): boolean {
  const expected = Buffer.from(sign(text, key), 'latin1');
  const given = Buffer.from(signature, 'utf8');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The JSON in a base64url part of a token; undefined where there is none. */
export function readPart(part: string): unknown {
  if (!/^[A-Za-z0-9_-]+$/.test(part)) return undefined;
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown;
  } catch {
    // Not JSON: the token is somebody's invention, which the caller answers like any other wrong token.
    return undefined;
  }
}

export const writePart = (value: unknown): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
