import { createHmac, timingSafeEqual } from 'node:crypto';

/** A signature is good for this long, so that a recorded callback cannot be played back for ever. */
export const signatureAgeMaxSeconds = 300;

/**
 * Is `header` (`t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<raw body>">`) a signature of exactly these bytes, made within 300 s of now?
 * Several `v1` may stand in it and several secrets be ours, one of each must fit: that is how a secret is changed. Never throws, whatever was sent.
 */
export function signatureIsGood(secrets: readonly string[], header: string | undefined, body: Buffer, nowMs: number): boolean {
  const parts = (header ?? '').split(',').map((part) => part.trim());
  const times = parts.filter((part) => part.startsWith('t='));
  const time = times[0]?.slice(2) ?? '';
  // Ten digits are seconds until the year 2286; milliseconds, signs and fractions are no such time.
  if (times.length !== 1 || !/^\d{1,10}$/.test(time)) return false;
  if (Math.abs(Math.floor(nowMs / 1000) - Number(time)) > signatureAgeMaxSeconds) return false;
  const expected = secrets.map((secret) => createHmac('sha256', secret).update(`${time}.`).update(body).digest());
  return parts.some((part) => part.startsWith('v1=') && expected.some((digest) => fits(part.slice(3), digest)));
}

function fits(hex: string, expected: Buffer): boolean {
  // The length first: timingSafeEqual throws on unequal ones, and only lower-case hex is what the provider writes.
  return hex.length === expected.length * 2 && /^[0-9a-f]+$/.test(hex) && timingSafeEqual(Buffer.from(hex, 'hex'), expected);
}
