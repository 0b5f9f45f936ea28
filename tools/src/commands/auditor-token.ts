import { createHmac } from 'node:crypto';

const lifeSeconds = 60;

/** A short-lived HS256 token of an auditor, for the commands of whoever may read run.json. */
export function auditorToken(jwtSecret: string, nowMs = Date.now()): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const iat = Math.floor(nowMs / 1000);
  const unsigned = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: 'audit-command', roles: ['auditor'], iat, exp: iat + lifeSeconds })}`;
  return `${unsigned}.${createHmac('sha256', Buffer.from(jwtSecret, 'utf8')).update(unsigned).digest('base64url')}`;
}
