import { auditCommands } from './audit/audit.commands.js';
import { channelCommands } from './channels/channel.commands.js';
import type { Command } from './command/command.js';
import { completionCommands } from './completion/completion.commands.js';
import { deadLetterCommands } from './dead-letters/dead-letter.commands.js';
import { reconcileCommands } from './reconcile/reconcile.commands.js';
import { reportCommands } from './report/report.commands.js';
import { sagaCommands } from './sagas/saga.commands.js';
import { saleCommands } from './sale/sale.commands.js';
import { switchCommands } from './switches/switch.commands.js';
import { tailCommands } from './tail/tail.commands.js';

/** Everything an operator can ask for, in the order in which the help shows it. */
export const commands: readonly Command[] = [
  ...saleCommands, ...tailCommands, ...auditCommands, ...reconcileCommands, ...reportCommands, ...deadLetterCommands, ...sagaCommands, ...switchCommands, ...channelCommands, ...completionCommands(() => commands),
];

/** What the first words of two-word commands are about. */
export const groups: Readonly<Record<string, string>> = {
  sale: 'look at sales and steer them',
  'dead-letters': 'messages that could not be processed: look, send again, give up',
  sagas: 'orders under way',
  channels: 'where the team is told of alerts and sales',
  switches: 'what an operator can turn while the platform runs',
};
