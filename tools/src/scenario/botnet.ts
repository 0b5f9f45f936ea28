import { randomUUID } from 'node:crypto';

import { BotConnection } from './bot-connection.js';
import { botKinds, hoarderName, sharesNetwork, BotRequests, type BotKind, type BotRequest } from './bot-requests.js';
import type { Scene } from './hold-sale.js';
import { press } from './press.js';
import { purchase } from './purchase.js';
import type { SiegeRules } from './scenario-file.js';

const tickMs = 5;
const connectionCount = 12;
/** Requests under way on one connection. */
const pipelining = 12;
/** How long answers may come after the last request. */
const lingerMs = 5_000;
/** Bots begin to be as many as they shall be, a little early: what they owe at the end would count as not sent. */
const ahead = 1.08;

/** What the bots did in one sale, and what they got. */
export interface BotCounts {
  /** Answers by kind and word (a problem code, or the status). */
  answers: Record<BotKind, Record<string, number>>;
  sent: number;
  /** Reservations of those who did the work. */
  hoarded: number;
  /** What must never be: in words. */
  gains: string[];
}

interface Got {
  word: string;
  text: string;
  sentAtMs: number;
}

/** Sends requests at the gateway all through a sale: cheap ones, pipelined, many times what the buyers send. */
export class Botnet {
  readonly counts: BotCounts = { answers: Object.fromEntries(botKinds.map((kind) => [kind, {}])) as BotCounts['answers'], sent: 0, hoarded: 0, gains: [] };
  private readonly entryTokens = new Map<string, string>();
  private readonly requests: BotRequests;
  private readonly connections: readonly BotConnection[];
  private readonly startedAtMs = performance.now();
  private readonly firstRequest: number;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;
  private readonly followed: Promise<void>[] = [];

  /** @param expected how many requests the buyers of such a sale send, and within which time */
  constructor(private readonly scene: Scene, name: string, private readonly rules: SiegeRules, private readonly expected: { requests: number; ms: number }) {
    const { stage } = scene;
    this.firstRequest = stage.requests;
    const keys = stage.plan.presses.map(({ buyer, key }) => ({ buyer, key }));
    this.requests = new BotRequests(scene, name, rules, { entryTokens: this.entryTokens, keys });
    const { hostname, port } = new URL(stage.run.gatewayUrl);
    this.connections = Array.from({ length: connectionCount }, () => new BotConnection(hostname, Number(port)));
    const hoarders = Array.from({ length: rules.hoarders }, (_, nth) => hoarderName(name, nth));
    void this.begin(hoarders);
  }

  /** Requests of the buyers since the bots came. */
  get honest(): number {
    return this.scene.stage.requests - this.firstRequest;
  }

  /** When the buyers have all ended: no more requests, but what the hoarders won is paid for. */
  async end(): Promise<void> {
    this.stop();
    const untilMs = Date.now() + lingerMs;
    while (this.underWay > 0 && Date.now() < untilMs && !this.scene.stage.pauses.stopped) await this.scene.stage.pauses.sleep(20);
    for (const connection of this.connections) connection.close();
    await Promise.all(this.followed);
  }

  stop(): void {
    this.ended = true;
    clearInterval(this.timer);
  }

  /** Hoarders have done their work before the others come: afterwards nobody listens to their network. */
  private async begin(hoarders: readonly string[]): Promise<void> {
    await this.scene.entry.prepare(hoarders);
    if (this.ended) return;
    this.timer = setInterval(() => this.tick(), tickMs);
    await this.loot(hoarders);
  }

  private get underWay(): number {
    return this.connections.reduce((sum, connection) => sum + connection.underWay, 0);
  }

  /** Entry tokens, as soon as the sale gives them: the hoarders' own, and those of buyers, which leak. */
  private async loot(hoarders: readonly string[]): Promise<void> {
    const { stage, sale, entry } = this.scene;
    await stage.pauses.sleep(sale.opensAtMs - Date.now());
    for (const account of [...hoarders, ...stage.plan.buyers]) {
      void entry.tokenOf(account).then((token) => { if (token !== null) this.entryTokens.set(account, token); });
    }
  }

  private tick(): void {
    const passed = (performance.now() - this.startedAtMs) / this.expected.ms;
    // First along the line that the quiet sale drew, then by what the buyers really send.
    const due = this.rules.timesTraffic * ahead * (passed < 1 ? this.expected.requests * passed : Math.max(this.expected.requests, this.honest));
    for (const connection of this.connections) {
      while (this.counts.sent < due && connection.underWay < pipelining) this.send(connection, this.requests.next());
    }
  }

  private send(connection: BotConnection, request: BotRequest): void {
    this.counts.sent++;
    const sentAtMs = Date.now();
    const headers: Record<string, string> = { authorization: `Bearer ${request.token}`, 'x-forwarded-for': request.from, 'content-type': 'application/json' };
    if (request.key !== undefined) headers['idempotency-key'] = request.key;
    connection.send(request.path, headers, JSON.stringify(request.body), (status, text) => {
      this.answered(request, { word: /"code":"(\w+)"/.exec(text)?.[1] ?? status, text, sentAtMs });
    });
  }

  private answered(request: BotRequest, { word, text, sentAtMs }: Got): void {
    const counts = this.counts.answers[request.kind];
    counts[word] = (counts[word] ?? 0) + 1;
    if (request.kind === 'hoarder') this.follow(request, { word, text, sentAtMs });
    else if (/^2/.test(word) || word === 'OUTCOME_UNKNOWN') this.counts.gains.push(`${request.kind}: ${request.account} was answered ${word} ${text.slice(0, 100)}`);
  }

  /** A hoarder's reservation goes its way like anybody's. An answer that got lost is asked for again, so that no order is left that nobody was told of. */
  private follow({ account, key = randomUUID() }: BotRequest, { word, text, sentAtMs }: Got): void {
    const { stage, sale } = this.scene;
    if (word !== '202' && word !== 'LOST' && word !== 'OUTCOME_UNKNOWN' && word !== 'INTERNAL') return;
    const what = { atMs: 0, key, buyer: account, items: [{ item: 0, quantity: 1 }] };
    const attempt = stage.attemptOf(what, sale);
    const won = (rid: string): void => {
      if (stage.purchases.has(rid)) return;
      this.counts.hoarded++;
      this.followed.push(purchase(stage, attempt, rid, sale.paymentWindowMs));
    };
    if (word === '202') {
      const { reservationId: rid, number } = JSON.parse(text) as { reservationId: string; number: number };
      attempt.exchanges.push({ sentAtMs, answeredAtMs: Date.now(), word: 'ACCEPTED', rid, number });
      won(rid);
    } else {
      attempt.exchanges.push({ sentAtMs, answeredAtMs: Date.now(), word, ...(word === 'LOST' && { reached: 'maybe' as const }) });
      this.followed.push(press(this.scene, what, Date.now(), (_, rid) => won(rid)));
    }
  }
}

/** The network that a hoarder's units count for, of those who share one. */
export const networkOf = (account: string): string | null => {
  const nth = /^hoarder-.*-(\d+)$/.exec(account)?.[1];
  return nth !== undefined && sharesNetwork(Number(nth)) ? '2001:db8:1:1::/64' : null;
};
