import { Entry } from '../scenario/entry.js';
import type { Press } from '../scenario/attempt-rules.js';
import { isUncertain, outcomeOf, type Attempt, type Purchase } from '../scenario/history.js';
import { freeEntry, makeSale, staff, staffTokens, waitForOpening } from '../scenario/make-sale.js';
import type { Listener } from '../scenario/http-client.js';
import { press } from '../scenario/press.js';
import { readRecords } from '../scenario/records.js';
import { signToken } from '../scenario/sign-token.js';
import { Stage, type StagedSale } from '../scenario/stage.js';
import type { RunFile } from '../supervisor/run-file.js';
import type { SaleFacts } from './chaos-verdict.js';

/** Nobody pays, and nobody's time to pay ends within the run: what was won stays held, to be counted. */
const paymentWindowSeconds = 3_600;

/** A sale of one item that is sold out within moments, and whose winners only wait. */
export class KillRush {
  readonly stage: Stage;
  private sale!: StagedSale;
  private entry!: Entry;
  private readonly presses = new Map<string, Press>();
  private won = 0;

  constructor(run: RunFile, private readonly name: string, private readonly units: number, heard: Listener) {
    const item = { sku: 'kills', title: 'What everybody wants', price: 425, quota: units, perAccount: 1, weight: 1 };
    this.stage = new Stage(run, { seed: 0, items: [item], presses: [], buyers: [], fateOf: () => { throw new Error('nobody pays'); } }, { heard });
  }

  async start(): Promise<void> {
    const offer = { title: `Sale: ${this.name}`, sale: { currency: 'GBP', opensInSeconds: 1, closesAfterSeconds: 86_400, paymentWindowSeconds, ...freeEntry } };
    this.sale = await makeSale(this.stage, offer, await staffTokens(this.stage));
    await waitForOpening(this.stage, this.sale);
    this.entry = new Entry(this.stage, this.sale, 'none');
  }

  /** Keys that were answered 202 until now. */
  get winners(): number {
    return this.won;
  }

  /** So many buyers, numbered from `first`, all of them with their entry tokens in hand, all at once. Resolves when each has a lasting answer. */
  async buyers(first: number, count: number): Promise<void> {
    const all = Array.from({ length: count }, (_, at): Press => ({ atMs: 0, key: `key-${first + at}`, buyer: `buyer-${first + at}`, items: [{ item: 0, quantity: 1 }] }));
    await Promise.all(all.map(({ buyer }) => this.entry.tokenOf(buyer)));
    await this.send(all);
  }

  /** Everybody who has won, or does not know, asks with the same key. Resolves to how many were told the same as before, and how many asked who had won. */
  async askAgain(): Promise<{ asked: number; same: number }> {
    const before = new Map([...this.stage.attempts.values()].flatMap((attempt) => {
      const outcome = outcomeOf(attempt);
      return outcome.word === 'accepted' ? [[attempt.key, outcome.rid] as const] : [];
    }));
    const doubtful = [...this.stage.attempts.values()].filter((attempt) => outcomeOf(attempt).word === 'unknown').map(({ key }) => key);
    await this.send([...before.keys(), ...doubtful].map((key) => this.presses.get(key)!));
    const same = [...before].filter(([key, rid]) => {
      const last = this.stage.attempts.get(key)!.exchanges.at(-1);
      return last?.word === 'ACCEPTED' && last.rid === rid;
    });
    return { asked: before.size, same: same.length };
  }

  /** What was told and what is recorded; every winner's order is open, and stays so. */
  async facts(): Promise<SaleFacts> {
    const token = signToken(this.stage.run.jwtSecret, staff.auditor, ['auditor']);
    const records = await readRecords(this.stage, this.sale, token);
    const items = [{ itemId: this.sale.items[0]!.id, quota: this.units, perAccount: 1, price: 425 }];
    return { name: this.name, told: { items, perAccount: null, attempts: this.stage.attempts, purchases: this.purchases() }, records };
  }

  /** Keys that did not know for a while. */
  get doubted(): number {
    return [...this.stage.attempts.values()].filter((attempt) => attempt.exchanges.some(isUncertain)).length;
  }

  private async send(all: readonly Press[]): Promise<void> {
    const scene = { stage: this.stage, sale: this.sale, entry: this.entry };
    for (const one of all) this.presses.set(one.key, one);
    await Promise.all(all.map((one) => press(scene, one, Date.now(), (attempt) => this.accepted(attempt))));
  }

  private accepted({ exchanges }: Attempt): void {
    if (exchanges.filter(({ word }) => word === 'ACCEPTED').length === 1) this.won++;
  }

  private purchases(): Map<string, Purchase> {
    const winners = [...this.stage.attempts.values()].flatMap(({ key, buyer, items, exchanges }) => {
      const rid = exchanges.find(({ word }) => word === 'ACCEPTED')?.rid;
      return rid === undefined ? [] : [{ rid, key, buyer, items, shown: [], payment: 'none' as const, cancelled: false, missing: 0 }];
    });
    return new Map(winners.map((purchase) => [purchase.rid, purchase]));
  }
}
