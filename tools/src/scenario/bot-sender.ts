import { BotConnection } from './bot-connection.js';
import { botKinds, BotRequests, type BotKind, type BotRequest, type BotScene } from './bot-requests.js';

const tickMs = 5;
const connectionCount = 8;
/** Requests under way on one connection. */
const pipelining = 4;
/** How long answers may come after the last request. */
const lingerMs = 5_000;
const pollMs = 20;
/** A little more than asked for: what they owe at the end would count as not sent. */
const ahead = 1.04;

/** What the bots sent and what they got: answers by kind and word (a problem code, or the status). */
export interface BotCounts {
  answers: Record<BotKind, Record<string, number>>;
  sent: number;
  /** What must never be: in words. */
  gains: string[];
}

/** How many requests are sent, and within which time: first along this line, then by what the buyers really send. */
export interface BotPace {
  timesTraffic: number;
  buyers: { requests: number; ms: number };
}

/** An answer to a hoarder which tells, or may tell, of a reservation. */
export interface HoarderAnswer {
  account: string;
  key: string;
  word: string;
  text: string;
  sentAtMs: number;
  answeredAtMs: number;
}

const telling = new Set(['202', 'LOST', 'OUTCOME_UNKNOWN', 'INTERNAL']);

/** Sends requests at the gateway until it is told to end: cheap ones, pipelined, many times what the buyers send. */
export class BotSender {
  readonly counts: BotCounts = { answers: Object.fromEntries(botKinds.map((kind) => [kind, {}])) as BotCounts['answers'], sent: 0, gains: [] };
  readonly entryTokens = new Map<string, string>();
  /** Requests that the buyers have sent since the bots came. */
  honest = 0;
  private readonly requests: BotRequests;
  private readonly connections: readonly BotConnection[];
  private readonly startedAtMs = performance.now();
  private readonly timer = setInterval(() => this.tick(), tickMs);

  constructor(scene: BotScene, private readonly pace: BotPace, private readonly onHoarder: (answer: HoarderAnswer) => void) {
    this.requests = new BotRequests(scene, this.entryTokens);
    const { hostname, port } = new URL(scene.gatewayUrl);
    this.connections = Array.from({ length: connectionCount }, () => new BotConnection(hostname, Number(port)));
  }

  /** Sends no more; resolves when what was sent is answered, or when nobody waits any longer. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    const untilMs = Date.now() + lingerMs;
    while (this.connections.some(({ underWay }) => underWay > 0) && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, pollMs));
    for (const connection of this.connections) connection.close();
  }

  private tick(): void {
    const { timesTraffic, buyers } = this.pace;
    const passed = (performance.now() - this.startedAtMs) / buyers.ms;
    const due = timesTraffic * ahead * (passed < 1 ? buyers.requests * passed : Math.max(buyers.requests, this.honest));
    for (const connection of this.connections) {
      while (this.counts.sent < due && connection.underWay < pipelining) this.send(connection, this.requests.next());
    }
  }

  private send(connection: BotConnection, request: BotRequest): void {
    this.counts.sent++;
    const sentAtMs = Date.now();
    const headers: Record<string, string> = { authorization: `Bearer ${request.token}`, 'x-forwarded-for': request.from, 'content-type': 'application/json' };
    if (request.key !== undefined) headers['idempotency-key'] = request.key;
    connection.send(request.path, headers, JSON.stringify(request.body), (status, text) => this.answered(request, /"code":"(\w+)"/.exec(text)?.[1] ?? status, text, sentAtMs));
  }

  private answered({ kind, account, key = '' }: BotRequest, word: string, text: string, sentAtMs: number): void {
    const counts = this.counts.answers[kind];
    counts[word] = (counts[word] ?? 0) + 1;
    if (kind !== 'hoarder') {
      if (/^2/.test(word) || word === 'OUTCOME_UNKNOWN') this.counts.gains.push(`${kind}: ${account} was answered ${word} ${text.slice(0, 100)}`);
    } else if (telling.has(word)) {
      this.onHoarder({ account, key, word, text, sentAtMs, answeredAtMs: Date.now() });
    }
  }
}
