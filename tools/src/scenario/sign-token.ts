import { createHmac } from 'node:crypto';

/** Longer than any scenario. */
const lifetimeSeconds = 3_600;

/** A JSON web token (HS256) as the gateway takes it. */
export function signToken(secret: string, accountId: string, roles: readonly string[]): string {
  const payload = { sub: accountId, roles, exp: Math.floor(Date.now() / 1000) + lifetimeSeconds };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
