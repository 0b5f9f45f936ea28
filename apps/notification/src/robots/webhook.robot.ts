import { createHmac } from 'node:crypto';
import type { Robot } from '../channels/team-channel.js';
import { readStatus } from './answers.js';

/**
 * A listener of one's own: `{ title, lines, link }`, signed as the sandbox provider signs its callbacks: `x-signature:
 * t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<raw body>">`. Any 2xx takes the message.
 */
export const webhook: Robot = {
  limits: [{ messages: 60, withinMs: 60_000 }],
  bytesMax: 16_000,
  needsSecret: true,
  write: ({ title, lines, link }, { url, secret }, nowMs) => {
    const body = JSON.stringify({ title, lines, link });
    const seconds = Math.floor(nowMs / 1000);
    const digest = createHmac('sha256', secret ?? '').update(`${seconds}.${body}`).digest('hex');
    return { url, headers: { 'content-type': 'application/json; charset=utf-8', 'x-signature': `t=${seconds},v1=${digest}` }, body };
  },
  read: readStatus,
};
