import { createHmac } from 'node:crypto';
import type { Robot } from '../channels/team-channel.js';
import { jsonOf, jsonRequest, readCode } from './answers.js';

/**
 * Feishu's custom robot (open.feishu.cn/document/client-docs/bot-v3/add-custom-bot): 100 requests a minute and 5 a second, 20 KB a request.
 * A post of plain text elements: unlike `text`, it reads no `<at>` in them. Signed with the key "<seconds>\n<secret>" over nothing.
 */
export const feishu: Robot = {
  limits: [{ messages: 100, withinMs: 60_000 }, { messages: 5, withinMs: 1_000 }],
  // JSON may take twice the bytes of its text.
  bytesMax: 8_000,
  needsSecret: false,
  write: ({ title, lines, link }, { url, secret }, nowMs) => {
    const content = [...lines.map((text) => [{ tag: 'text', text }]), ...(link === null ? [] : [[{ tag: 'a', text: link, href: link }]])];
    const timestamp = String(Math.floor(nowMs / 1000));
    const signed = secret === null ? {} : { timestamp, sign: createHmac('sha256', `${timestamp}\n${secret}`).digest('base64') };
    return jsonRequest(url, { ...signed, msg_type: 'post', content: { post: { zh_cn: { title, content } } } });
  },
  // 11232: "frequency limited"; 9499 is also what an overloaded gateway of theirs says.
  read: (answer) => {
    const { code, StatusCode, msg, StatusMessage } = jsonOf(answer);
    return readCode(answer, code ?? StatusCode, msg ?? StatusMessage, { 11232: 60_000 });
  },
};
