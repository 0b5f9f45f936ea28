import { persist } from '../scenario/persist.js';
import type { Answered, Call } from '../scenario/http-client.js';
import { Chance } from '../scenario/random.js';
import { signToken } from '../scenario/sign-token.js';
import type { Market } from './market.js';

/** Whoever has no answer for so long gives up, and the run is `unknown`. */
const patienceMs = 150_000;
const restMs = [1_500, 4_000] as const;
const pausedMs = [200, 1_200] as const;
const unitsMax = 5;

/** Somebody who pauses and resumes a sale and changes its stock all the time, and closes it at the end. */
export class Operator {
  /** What had no answer, or one that nobody expects. */
  readonly doubts: string[] = [];
  private readonly chance: Chance;
  private readonly token: string;
  private open = true;
  private working: Promise<void> = Promise.resolve();

  constructor(private readonly market: Market, seed: number) {
    this.chance = new Chance(seed);
    this.token = signToken(market.stage.run.jwtSecret, 'chaos-operator', ['operator']);
  }

  start(): void {
    this.working = this.work();
  }

  /** No more changes; resolves when the last has its answer and the sale is closed. */
  async close(): Promise<void> {
    this.open = false;
    await this.working;
    await this.move('close', 'ENDED');
  }

  private async work(): Promise<void> {
    const { pauses } = this.market.stage;
    for (let nth = 0; this.open && !pauses.stopped; nth++) {
      if (this.chance.happens(`pause|${nth}`, 0.4)) {
        await this.move('pause', 'PAUSED');
        await pauses.sleep(this.chance.between(`paused|${nth}`, pausedMs));
        await this.move('resume', 'OPEN', 'ARMED');
      } else {
        await this.changeStock(nth);
      }
      await pauses.sleep(this.chance.between(`rest|${nth}`, restMs));
    }
  }

  /** A repetition of a step whose answer was lost finds it done. */
  private async move(step: 'pause' | 'resume' | 'close', ...done: string[]): Promise<void> {
    const answer = await this.insist({ method: 'POST', path: `/v1/admin/sales/${this.market.id}/${step}`, token: this.token });
    if (answer && answer.status !== 200 && !(answer.status === 409 && done.includes(String(answer.body.state)))) this.doubts.push(`${step} was answered ${answer.status} ${String(answer.body.code)}, the sale is ${String(answer.body.state)}`);
  }

  private async changeStock(nth: number): Promise<void> {
    const { market } = this;
    const item = this.chance.between(`item|${nth}`, [0, market.terms.items.length - 1]);
    const units = this.chance.between(`units|${nth}`, [1, unitsMax]) * (this.chance.happens(`less|${nth}`, 0.5) ? -1 : 1);
    const answer = await this.insist({
      method: 'POST', path: `/v1/admin/sales/${market.id}/items/${market.itemId(item)}/stock`, token: this.token, key: `stock-${nth}`, body: { delta: units, reason: 'somebody counted again' },
    });
    if (answer?.status === 200) market.changeQuota(item, units);
    else if (answer && answer.body.code !== 'INSUFFICIENT_STOCK') this.doubts.push(`${units} units were answered ${answer.status} ${String(answer.body.code)}`);
  }

  private async insist(call: Call): Promise<Answered | null> {
    const { stage } = this.market;
    const answer = await persist(() => stage.calm.call(call), { pauses: stage.pauses, untilMs: Date.now() + patienceMs });
    if (!answer) this.doubts.push(`${call.path} had no answer`);
    return answer;
  }
}
