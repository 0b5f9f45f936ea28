import { createHmac } from 'node:crypto';
import type { Robot } from '../channels/team-channel.js';
import { jsonOf, jsonRequest, plainText, readCode } from './answers.js';

/**
 * DingTalk's custom robot (open.dingtalk.com/document/robots/custom-robot-access): 20 messages a minute, and whoever sends more is locked out for
 * ten; 20,000 bytes a request. Text, in which only the numbers listed in `at` call anybody. Signed over "<milliseconds>\n<secret>", in the URL.
 */
export const dingtalk: Robot = {
  limits: [{ messages: 20, withinMs: 60_000 }],
  bytesMax: 8_000,
  needsSecret: false,
  write: (message, { url, secret }, nowMs) =>
    jsonRequest(secret === null ? url : signed(url, secret, nowMs), { msgtype: 'text', text: { content: plainText(message) }, at: { atMobiles: [], atUserIds: [], isAtAll: false } }),
  // 130101: "send too fast". Trying sooner lengthens the lock-out.
  read: (answer) => {
    const { errcode, errmsg } = jsonOf(answer);
    return readCode(answer, errcode, errmsg, { 130101: 600_000 });
  },
};

function signed(text: string, secret: string, nowMs: number): string {
  const url = new URL(text);
  url.searchParams.set('timestamp', String(nowMs));
  url.searchParams.set('sign', createHmac('sha256', secret).update(`${nowMs}\n${secret}`).digest('base64'));
  return url.toString();
}
