import { ask, freeEntry, makeSale, staff, staffTokens, waitForOpening, type Offer } from '../scenario/make-sale.js';
import type { Press } from '../scenario/attempt-rules.js';
import type { CheckedItem, Evidence } from '../scenario/evidence.js';
import { Entry } from '../scenario/entry.js';
import { outcomeOf, type Attempt } from '../scenario/history.js';
import type { Listener } from '../scenario/http-client.js';
import { fateOf, type Plan } from '../scenario/plan.js';
import { press } from '../scenario/press.js';
import { purchase } from '../scenario/purchase.js';
import { Chance, cumulate } from '../scenario/random.js';
import { readRecords, type Records } from '../scenario/records.js';
import { signToken } from '../scenario/sign-token.js';
import { Stage, type StagedSale } from '../scenario/stage.js';
import type { RunFile } from '../supervisor/run-file.js';
import type { Terms } from './terms.js';

/** So many winners ask again when all is over; more would only repeat what these show. */
const askAgainMax = 400;

/** A sale with its buyers, from the first to the last: they come at a steady rate, whatever becomes of those before them. */
export class Market {
  readonly stage: Stage;
  withdrawn = false;
  /** When those who were given a unit had asked and were answered, epoch; replays not among them. */
  readonly sold: { sentAtMs: number; answeredAtMs: number }[] = [];
  private sale!: StagedSale;
  private readonly quotas: number[];
  private entry!: Entry;
  private readonly chance: Chance;
  private readonly presses = new Map<string, Press>();
  private readonly under: Promise<void>[] = [];
  private open = true;
  private loading: Promise<void> = Promise.resolve();

  constructor(run: RunFile, readonly terms: Terms, seed: number, heard: Listener) {
    this.chance = new Chance(seed);
    const plan: Plan = { seed, items: terms.items.map((item) => ({ ...item })), presses: [], buyers: [], fateOf: (key) => fateOf(terms, this.chance, key) };
    this.stage = new Stage(run, plan, { heard });
    this.quotas = terms.items.map(({ quota }) => quota);
  }

  get id(): string {
    return this.sale.id;
  }

  itemId(index: number): string {
    return this.sale.items[index]!.id;
  }

  /** The platform has said that it took these units in, or gave them back. */
  changeQuota(index: number, units: number): void {
    this.quotas[index]! += units;
  }

  /** Makes the sale and lets the first buyers in. */
  async start(): Promise<void> {
    const { terms, stage } = this;
    const offer: Offer = {
      title: terms.title,
      sale: { currency: 'GBP', opensInSeconds: 1, closesAfterSeconds: 86_400, paymentWindowSeconds: terms.paymentWindowSeconds, ...freeEntry, latePayment: terms.latePayment },
    };
    this.sale = await makeSale(stage, offer, await staffTokens(stage));
    await waitForOpening(stage, this.sale);
    this.entry = new Entry(stage, this.sale, 'none');
    this.loading = this.load();
  }

  /** See {@link Shop}. */
  sellsAfterMs(sinceMs: number): number | null {
    const later = this.sold.filter(({ sentAtMs }) => sentAtMs >= sinceMs).map(({ answeredAtMs }) => answeredAtMs - sinceMs);
    return later.length === 0 ? null : Math.min(...later);
  }

  async withdraw(): Promise<void> {
    this.withdrawn = true;
    const token = signToken(this.stage.run.jwtSecret, 'chaos-operator', ['operator']);
    const answer = await ask(this.stage, { method: 'POST', path: `/v1/admin/sales/${this.id}/withdraw`, token });
    if (answer.status !== 200 && answer.body.state !== 'WITHDRAWN') throw new Error(`the sale could not be withdrawn: ${answer.status}`);
  }

  /** No more buyers; resolves when those who came have seen the end of their purchases. */
  async close(): Promise<void> {
    this.open = false;
    await this.loading;
    await this.settled();
  }

  /** Whoever does not know what became of a key asks once more, now that everything is up; and so do winners, who must be told the same. */
  async askAgain(): Promise<void> {
    const doubtful = [...this.stage.attempts.values()].filter((attempt) => outcomeOf(attempt).word === 'unknown');
    const winners = [...this.stage.attempts.values()].filter((attempt) => outcomeOf(attempt).word === 'accepted');
    const share = askAgainMax / Math.max(1, winners.length);
    for (const { key } of [...doubtful, ...winners.filter(({ key }) => this.chance.happens(`ask-again|${key}`, share))]) this.press(this.presses.get(key)!, Date.now());
    await this.settled();
  }

  async records(): Promise<Records> {
    return await readRecords(this.stage, this.sale, signToken(this.stage.run.jwtSecret, staff.auditor, ['auditor']));
  }

  /** What buyers were told, for the checker. */
  get told(): Omit<Evidence, 'orders' | 'audit'> {
    const items = this.stage.plan.items.map((item, index): CheckedItem => ({ itemId: this.sale.items[index]!.id, quota: this.quotas[index]!, perAccount: item.perAccount, price: item.price }));
    return { items, perAccount: null, withdrawn: this.withdrawn, waywardProvider: true, attempts: this.stage.attempts, purchases: this.stage.purchases };
  }

  /** Open-loop. */
  private async load(): Promise<void> {
    const { perSecond, keyAgainShare, otherKeyShare } = this.terms;
    const startedAtMs = Date.now();
    for (let nth = 0; this.open && !this.stage.pauses.stopped; nth++) {
      const dueAtMs = startedAtMs + (nth * 1_000) / perSecond;
      if (dueAtMs > Date.now()) await this.stage.pauses.sleep(dueAtMs - Date.now());
      const first = this.newPress(`${this.terms.name}-${nth}`, `${this.terms.name}-buyer-${nth}`);
      this.press(first, dueAtMs);
      if (this.chance.happens(`again|${first.key}`, keyAgainShare)) this.pressLater(first);
      if (this.chance.happens(`other|${first.key}`, otherKeyShare)) this.pressLater(this.newPress(`${first.key}-other`, first.buyer));
    }
  }

  private newPress(key: string, buyer: string): Press {
    const item = this.chance.choose(`item|${key}`, cumulate(this.terms.items.map(({ weight }) => weight)));
    const made: Press = { atMs: 0, key, buyer, items: [{ item, quantity: 1 }] };
    this.presses.set(key, made);
    return made;
  }

  private pressLater(what: Press): void {
    const waitMs = this.chance.between(`later|${what.key}`, [20, 3_000]);
    this.under.push(this.stage.pauses.sleep(waitMs).then(() => this.press(what, Date.now())));
  }

  private press(what: Press, dueAtMs: number): void {
    this.under.push(press({ stage: this.stage, sale: this.sale, entry: this.entry }, what, dueAtMs, (attempt, rid) => this.accepted(attempt, rid)));
  }

  private accepted(attempt: Attempt, rid: string): void {
    const { sentAtMs, answeredAtMs, replayed } = attempt.exchanges.at(-1)!;
    if (!replayed) this.sold.push({ sentAtMs, answeredAtMs });
    if (this.stage.purchases.has(rid)) return; // its buyer follows it already
    this.stage.tally.accepted++;
    this.under.push(purchase(this.stage, attempt, rid, this.terms.paymentWindowSeconds * 1_000));
  }

  /** Everything that is under way leads to more of it: until there is no more. */
  private async settled(): Promise<void> {
    while (this.under.length > 0) await Promise.all(this.under.splice(0));
  }
}
