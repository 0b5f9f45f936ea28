import type { Robot } from '../channels/team-channel.js';
import { jsonOf, jsonRequest, plainText, readCode } from './answers.js';

/**
 * WeCom's group robot (企业微信群机器人, developer.work.weixin.qq.com/document/path/91770): 20 messages a minute and 2,048 bytes of text.
 * Not markdown, whose markup it gives no way to escape; `<@userid>` calls somebody in a text too, so that no `<@` is left.
 * Its key stands in the URL; it signs nothing.
 */
export const wecom: Robot = {
  limits: [{ messages: 20, withinMs: 60_000 }],
  bytesMax: 2_048,
  needsSecret: false,
  write: (message, { url }) => jsonRequest(url, { msgtype: 'text', text: { content: plainText(message).replaceAll('<@', '(@'), mentioned_list: [], mentioned_mobile_list: [] } }),
  // 45009: "api freq out of limit".
  read: (answer) => {
    const { errcode, errmsg } = jsonOf(answer);
    return readCode(answer, errcode, errmsg, { 45009: 60_000 });
  },
};
