import { z } from 'zod';
import type { Outcome } from './errors.js';
import { idSchema } from './messages.js';
import type * as View from './views.js';

const answers = <T>() => z.custom<T>((value) => value !== undefined);
const actor = z.object({ accountId: idSchema, roles: z.array(z.string()) });

/** Ways to tell the team. */
export const channelKinds = ['wecom', 'feishu', 'dingtalk', 'slack', 'webhook', 'mail'] as const;
/** What a channel can be told. */
export const channelTopics = ['alerts', 'digests'] as const;
/** Neither spaces nor what Postgres would not take. */
const printable = z.string().regex(/^[!-~]+$/);
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/);

/** Requests about the team's channels. URLs and secrets travel in `save-channel` and nowhere else. */
export const channelRequests = {
  'list-channels': { to: 'notification.requests', ask: z.object({ limit: z.int().min(1).max(100), cursor: z.string().nullable() }), answer: answers<Outcome<View.Page<View.ChannelView>>>() },
  /** Makes it or replaces it. INVALID_REQUEST where it leads inside; UNAVAILABLE while that cannot be said. */
  'save-channel': {
    to: 'notification.requests',
    ask: z.object({ actor, name, kind: z.enum(channelKinds), url: printable.max(1_000), secret: printable.max(200).nullable(), hears: z.array(z.enum(channelTopics)).min(1).max(channelTopics.length) }),
    answer: answers<Outcome<View.ChannelView>>(),
  },
  'remove-channel': { to: 'notification.requests', ask: z.object({ actor, name }), answer: answers<Outcome<null>>() },
  'test-channel': { to: 'notification.requests', ask: z.object({ actor, name }), answer: answers<Outcome<View.ChannelTestView>>() },
} as const;
