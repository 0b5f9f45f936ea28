import { createHmac } from 'node:crypto';

const lifeSeconds = 60;

export const auditorToken = (jwtSecret: string, nowMs = Date.now()): string => staffToken(jwtSecret, { sub: 'audit-command', role: 'auditor' }, nowMs);

/** A short-lived HS256 token, for the commands of whoever may read run.json. */
export function staffToken(jwtSecret: string, { sub, role }: { sub: string; role: 'auditor' | 'operator' }, nowMs = Date.now()): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const iat = Math.floor(nowMs / 1000);
  const unsigned = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub, roles: [role], iat, exp: iat + lifeSeconds })}`;
  return `${unsigned}.${createHmac('sha256', Buffer.from(jwtSecret, 'utf8')).update(unsigned).digest('base64url')}`;
}
