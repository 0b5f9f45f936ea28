import type { Arena } from './arena.js';
import { causes } from './causes.js';
import { crash, type Staging } from './crash-step.js';
import { faultKind } from './faults.js';
import type { Step } from './schedule.js';

/** What became of a step. Times in milliseconds; `sellsAfterMs` counts from the moment the part was back, null: nobody was sold anything. */
export interface Struck {
  readonly step: Step;
  readonly atMs: number;
  readonly awayMs: number;
  readonly sellsAfterMs: number | null;
  /** Of a crash: whether the process died where it should. */
  readonly hit?: boolean;
  /** Why the fault could not be caused. */
  readonly failed?: string;
}

/** Whoever knows when something was sold. */
export interface Shop {
  /** How long after that moment (epoch) a buyer who asked later than that was given a 202; null: none was yet. */
  sellsAfterMs(sinceMs: number): number | null;
}

/** Nothing is sold for so long after a recovery: that is an end of selling, not a delay. */
const sellsWithinMs = 180_000;
const pollMs = 20;

/** Strikes again and again, one fault at a time, each followed by the proof that the platform sells again. */
export class Nemesis implements Staging {
  readonly struck: Struck[] = [];
  /** What is going on, for the live line. */
  now = '';
  messagesLostAtMs: number | null = null;
  /** Messages that must end as dead letters. */
  poisoned = 0;
  private readonly startedAtMs = Date.now();

  constructor(private readonly arena: Arena, private readonly shop: Shop, private readonly withdraw: () => Promise<void>) {}

  withdrawSale(): Promise<void> {
    return this.withdraw();
  }

  /** Takes the steps in order, until they are over or the run is stopped. */
  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (this.arena.pauses.stopped) return;
      this.struck.push(await this.take(step));
      await this.arena.pauses.sleep(step.pauseMs);
    }
  }

  private async take(step: Step): Promise<Struck> {
    this.now = nameOf(step);
    const begunAtMs = Date.now();
    const outcome = await this.strike(step).catch((error: unknown) => ({ failed: (error as Error).message }));
    const backAtMs = Date.now();
    this.now = `${nameOf(step)}, waiting for a sale`;
    const sellsAfterMs = await this.untilItSells(backAtMs);
    return { step, atMs: begunAtMs - this.startedAtMs, awayMs: backAtMs - begunAtMs, sellsAfterMs, ...outcome };
  }

  private async strike(step: Step): Promise<Pick<Struck, 'hit' | 'failed'>> {
    if (step.fault === 'crash') return { hit: await crash(this.arena, this, step) };
    const result = await causes[step.fault](this.arena, step);
    if (step.fault === 'messages-poison') this.poisoned += result as number;
    if (step.fault === 'broker-loses-messages') {
      this.messagesLostAtMs = Date.now();
      if (result === 0) return { failed: 'there was no message to lose' };
    }
    return {};
  }

  private async untilItSells(sinceMs: number): Promise<number | null> {
    for (let ms = this.shop.sellsAfterMs(sinceMs); ; ms = this.shop.sellsAfterMs(sinceMs)) {
      if (ms !== null || this.arena.pauses.stopped || Date.now() - sinceMs > sellsWithinMs) return ms;
      await this.arena.pauses.sleep(pollMs);
    }
  }
}

/** A step in a few words. */
export function nameOf({ fault, target, point, nth, by, skewMs, lastsMs }: Step): string {
  const what = point === undefined ? fault : `${fault} at ${point}${nth !== undefined && nth > 1 ? ` (passage ${nth})` : ''}`;
  const wrong = skewMs === undefined ? undefined : `${Math.abs(skewMs / 1000).toFixed(0)} s ${skewMs < 0 ? 'behind' : 'ahead'}`;
  return [what, target, by, wrong, lastsMs > 0 ? `${(lastsMs / 1000).toFixed(1)} s` : undefined].filter((part) => part !== undefined).join(' · ');
}

/** How soon somebody must be sold something after a step: where a process dies while Redis is loaded, as soon as after what Redis forgot by. */
export function limitMsOf({ fault, by }: Step): number {
  return Math.max(...[fault, by].flatMap((name) => (name === undefined ? [] : faultKind(name).sellsWithinSeconds))) * 1_000;
}

/** Whether a step kept the time that its table promises. */
export function isLate({ step, sellsAfterMs }: Struck): boolean {
  return sellsAfterMs === null || sellsAfterMs > limitMsOf(step);
}
