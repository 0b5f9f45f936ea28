import { Injectable } from '@nestjs/common';
import type { SwitchValues } from '@floodgate/contracts';
import { Switches } from '../switches/switches.js';
import { Recent } from './recent.js';

/** Rounds of PBKDF2 per try: enough that calling a browser's library is not what costs, little enough for us to make a puzzle in. */
export const roundsPerTry = 200;

const windowMs = 10_000;
const accountMemoryMs = 180_000;
const accountsMax = 20_000;

export interface Pressure {
  /** Solutions accepted here per second. What bots have to pay for; puzzles asked for would cost them nothing and raise everybody's price. */
  solvedPerSecond: number;
  /** Puzzles this account has asked for within three minutes. */
  askedByAccount: number;
}

/** Tries that a puzzle may take under this pressure, half of them on average. Rises with it, and stays within what the switches say. */
export function triesUnder({ solvedPerSecond, askedByAccount }: Pressure, values: SwitchValues): number {
  const crowd = Math.max(1, solvedPerSecond / values['challenge.solutions-per-second-calm']);
  const insistence = 2 ** Math.min(16, Math.max(0, askedByAccount - values['challenge.puzzles-per-account-calm']));
  return Math.round(Math.min(values['challenge.tries-hardest'], values['challenge.tries-easiest'] * crowd * insistence));
}

/** Measures the pressure on this gateway. Each sees its share, and that is what it has to withstand. */
@Injectable()
export class ChallengeDifficulty {
  private readonly asked = new Recent<{ count: number; sinceMs: number }>(accountsMax);
  private window = { startedMs: -Infinity, solved: 0 };
  private previousSolved = 0;

  constructor(private readonly switches: Switches) {}

  /** An account asks for a puzzle. @returns the tries that it may take */
  ask(accountId: string, nowMs: number): number {
    const known = this.asked.get(accountId);
    const recent = known && nowMs - known.sinceMs < accountMemoryMs ? known : { count: 0, sinceMs: nowMs };
    const count = recent.count + 1;
    this.asked.set(accountId, { count, sinceMs: recent.sinceMs });
    return triesUnder({ solvedPerSecond: this.solvedPerSecond(nowMs), askedByAccount: count }, this.switches.values);
  }

  /** A solution was accepted. */
  solved(nowMs: number): void {
    this.turn(nowMs);
    this.window.solved++;
  }

  /** Over the window before and what there is of this one, so that the price does not fall back to nothing at each turn. */
  private solvedPerSecond(nowMs: number): number {
    this.turn(nowMs);
    const elapsedMs = nowMs - this.window.startedMs;
    const ofPrevious = this.previousSolved * (1 - elapsedMs / windowMs);
    return (this.window.solved + ofPrevious) / (windowMs / 1_000);
  }

  private turn(nowMs: number): void {
    const elapsedMs = nowMs - this.window.startedMs;
    if (elapsedMs < windowMs && elapsedMs >= 0) return;
    this.previousSolved = elapsedMs < 2 * windowMs ? this.window.solved : 0;
    this.window = { startedMs: nowMs, solved: 0 };
  }
}
