import { beBots } from '../scenario/bot-process.js';
import type { CommandContext } from './command.js';

/** Not for people: the process that a scenario starts for its bots. */
export async function botsCommand({ stop }: CommandContext): Promise<number> {
  if (!process.send) throw new Error('bots come only with a scenario: npm start -- --scenario bots');
  await beBots(stop);
  return 0;
}
