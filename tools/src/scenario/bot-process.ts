import type { BotScene } from './bot-requests.js';
import { BotSender, type BotCounts, type BotPace, type HoarderAnswer } from './bot-sender.js';

/** What the player tells the process of the bots, in this order: `begin` once, the next two as often as there is news, `end` once. */
export type ToBots = { begin: { scene: BotScene; pace: BotPace } } | { loot: [account: string, entryToken: string][] } | { honest: number } | { end: true };

/** What comes back; `counts` is the last. */
export type FromBots = { hoarder: HoarderAnswer } | { counts: BotCounts };

/** The life of the process which sends what the bots send. It ends with the player's `end`, or with the player. */
export async function beBots(stop: AbortSignal): Promise<void> {
  const tell = (message: FromBots): Promise<void> => new Promise((resolve) => (process.connected ? process.send!(message, () => resolve()) : resolve()));
  let sender: BotSender | undefined;
  await new Promise<void>((resolve) => {
    process.on('disconnect', resolve);
    stop.addEventListener('abort', () => resolve(), { once: true });
    process.on('message', (message: ToBots) => {
      if ('begin' in message) sender ??= new BotSender(message.begin.scene, message.begin.pace, (hoarder) => void tell({ hoarder }));
      else if ('loot' in message) for (const [account, token] of message.loot) sender?.entryTokens.set(account, token);
      else if ('honest' in message) { if (sender) sender.honest = message.honest; }
      else resolve();
    });
  });
  await sender?.end();
  if (sender) await tell({ counts: sender.counts });
  if (process.connected) process.disconnect();
}
