import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';

import { repositoryRoot } from '../config.js';
import type { FromBots, ToBots } from './bot-process.js';
import { botName, hoarderName, sharesNetwork, type BotScene } from './bot-requests.js';
import type { BotCounts, BotPace, HoarderAnswer } from './bot-sender.js';
import type { Scene } from './hold-sale.js';
import { press } from './press.js';
import { purchase } from './purchase.js';
import type { SiegeRules } from './scenario-file.js';

const newsEveryMs = 50;
/** Bots sit on machines of their own in truth: here they must not take the processor from those whom they besiege. */
const niceness = 5;

/** The bots of one sale: a process of their own that sends, and their hoarders, whose reservations are followed here like anybody's. */
export class Botnet {
  /** Reservations of those who did the work. */
  hoarded = 0;
  private readonly bots: ChildProcess;
  private readonly firstRequest: number;
  private readonly startedAtMs = performance.now();
  private readonly followed: Promise<void>[] = [];
  private readonly gone: Promise<unknown>;
  private news: NodeJS.Timeout | undefined;
  private told: BotCounts | null = null;
  private ended = false;

  /** @param expected how many requests the buyers of such a sale send, and within which time */
  constructor(private readonly scene: Scene, private readonly crowd: string, private readonly rules: SiegeRules, private readonly expected: { requests: number; ms: number }) {
    this.firstRequest = scene.stage.requests;
    this.bots = fork(path.join(repositoryRoot(), 'dist', 'tools', 'main.js'), ['bots'], { execArgv: [] });
    this.bots.on('message', (message: FromBots) => {
      if ('hoarder' in message) this.follow(message.hoarder);
      else this.told = message.counts;
    });
    this.bots.on('error', () => undefined); // Their counts are missing then, which `counts` says.
    this.gone = once(this.bots, 'exit').catch(() => undefined);
    if (this.bots.pid !== undefined) os.setPriority(this.bots.pid, niceness);
    void this.begin(Array.from({ length: rules.hoarders }, (_, nth) => hoarderName(crowd, nth)));
  }

  /** What they sent and got; known when they have ended. Throws when they died before. */
  get counts(): BotCounts {
    if (!this.told) throw new Error('the bots ended before they said what they had sent');
    return this.told;
  }

  /** When the buyers have all ended: no more requests, but what the hoarders won is paid for. */
  async end(): Promise<void> {
    this.leave();
    await this.gone;
    await Promise.all(this.followed);
  }

  stop(): void {
    this.leave();
    if (this.bots.exitCode === null) this.bots.kill();
  }

  /** Hoarders have done their work before the others come: afterwards nobody listens to their network. */
  private async begin(hoarders: readonly string[]): Promise<void> {
    await this.scene.entry.prepare(hoarders);
    if (this.ended) return;
    this.tell({ begin: { scene: this.botScene(hoarders), pace: this.pace() } });
    this.news = setInterval(() => this.tell({ honest: this.scene.stage.requests - this.firstRequest }), newsEveryMs);
    await this.loot(hoarders);
  }

  /** They come late: what they shall send goes into the time that is left. */
  private pace(): BotPace {
    const { requests, ms } = this.expected;
    return { timesTraffic: this.rules.timesTraffic, buyers: { requests, ms: Math.max(1, ms * this.rules.within - (performance.now() - this.startedAtMs)) } };
  }

  private botScene(hoarders: readonly string[]): BotScene {
    const { stage, sale } = this.scene;
    const victims = stage.plan.presses.map(({ buyer, key }) => ({ buyer, key, token: stage.tokenOf(buyer), from: stage.as(buyer).from ?? '198.18.0.1' }));
    const bots = Array.from({ length: this.rules.accounts }, (_, nth) => stage.tokenOf(botName(this.crowd, nth)));
    return { gatewayUrl: stage.run.gatewayUrl, saleId: sale.id, itemId: sale.items[0]!.id, crowd: this.crowd, tokens: { bots, hoarders: hoarders.map((account) => stage.tokenOf(account)) }, victims };
  }

  /** Entry tokens, as soon as the sale gives them: the hoarders' own, and those of buyers, which leak. */
  private async loot(hoarders: readonly string[]): Promise<void> {
    const { stage, sale, entry } = this.scene;
    await stage.pauses.sleep(sale.opensAtMs - Date.now());
    for (const account of [...hoarders, ...stage.plan.buyers]) {
      void entry.tokenOf(account).then((token) => { if (token !== null) this.tell({ loot: [[account, token]] }); });
    }
  }

  private leave(): void {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.news);
    this.tell({ end: true });
  }

  private tell(message: ToBots): void {
    if (this.bots.connected) this.bots.send(message, () => undefined);
  }

  /** A hoarder's reservation goes its way like anybody's. An answer that got lost is asked for again, so that no order is left that nobody was told of. */
  private follow({ account, key, word, text, sentAtMs, answeredAtMs }: HoarderAnswer): void {
    const { stage, sale } = this.scene;
    const what = { atMs: 0, key, buyer: account, items: [{ item: 0, quantity: 1 }] };
    const attempt = stage.attemptOf(what, sale);
    const won = (rid: string): void => {
      if (stage.purchases.has(rid)) return;
      this.hoarded++;
      this.followed.push(purchase(stage, attempt, rid, sale.paymentWindowMs));
    };
    if (word === '202') {
      const { reservationId: rid, number } = JSON.parse(text) as { reservationId: string; number: number };
      attempt.exchanges.push({ sentAtMs, answeredAtMs, word: 'ACCEPTED', rid, number });
      won(rid);
    } else {
      attempt.exchanges.push({ sentAtMs, answeredAtMs, word, ...(word === 'LOST' && { reached: 'maybe' as const }) });
      this.followed.push(press(this.scene, what, Date.now(), (_, rid) => won(rid)));
    }
  }
}

/** The network that a hoarder's units count for, of those who share one. */
export const networkOf = (account: string): string | null => {
  const nth = /^hoarder-.*-(\d+)$/.exec(account)?.[1];
  return nth !== undefined && sharesNetwork(Number(nth)) ? '2001:db8:1:1::/64' : null;
};
