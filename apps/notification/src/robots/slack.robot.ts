import type { Robot } from '../channels/team-channel.js';
import { jsonRequest, plainText, readStatus } from './answers.js';

/**
 * Slack's incoming webhook (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks): one message a second
 * (docs.slack.dev/apis/web-api/rate-limits), best below 4,000 characters. `&`, `<` and `>` written as entities cannot start a link or
 * a mention (`<!channel>`); nothing else is markup without `mrkdwn`. Its status tells: 429 with Retry-After, 4xx with a word.
 */
export const slack: Robot = {
  limits: [{ messages: 1, withinMs: 1_000 }],
  bytesMax: 3_000,
  needsSecret: false,
  write: (message, { url }) => jsonRequest(url, { text: escaped(plainText(message)), mrkdwn: false, link_names: false, unfurl_links: false }),
  read: readStatus,
};

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
