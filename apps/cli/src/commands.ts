import type { Command } from './command/command.js';
import { saleCommands } from './sale/sale.commands.js';
import { switchCommands } from './switches/switch.commands.js';

/** Everything an operator can ask for, in the order in which the help shows it. */
export const commands: readonly Command[] = [...saleCommands, ...switchCommands];

/** What the first words of two-word commands are about. */
export const groups: Readonly<Record<string, string>> = {
  sale: 'look at sales and steer them',
  switches: 'what an operator can turn while the platform runs',
};
