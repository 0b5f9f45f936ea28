import type { Robot } from '../channels/team-channel.js';
import { dingtalk } from './dingtalk.robot.js';
import { feishu } from './feishu.robot.js';
import { slack } from './slack.robot.js';
import { webhook } from './webhook.robot.js';
import { wecom } from './wecom.robot.js';

/** Every kind of channel that is spoken to over HTTP. */
export const robots = { wecom, feishu, dingtalk, slack, webhook } as const satisfies Record<string, Robot>;
export type RobotKind = keyof typeof robots;
export const isRobotKind = (kind: string): kind is RobotKind => Object.hasOwn(robots, kind);
