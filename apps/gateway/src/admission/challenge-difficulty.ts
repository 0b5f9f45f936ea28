import { Injectable } from '@nestjs/common';
import { Recent } from './recent.js';

/** Rounds of PBKDF2 per try: enough that calling a browser's library is not what costs, little enough for us to make a puzzle in. */
export const roundsPerTry = 200;
/** Tries that the hardest and the easiest puzzle may take; half of them on average. Some 25 ms of one core at the easy end, a second at the other. */
export const triesMax = { easiest: 1_000, hardest: 32_000 } as const;

/** Solutions per second at one gateway that are an ordinary sale. */
const solvedPerSecondCalm = 50;
/** Puzzles that an honest buyer may want: one, one that expired, one whose answer was lost. */
const askedByAccountCalm = 3;
const windowMs = 10_000;
const accountMemoryMs = 180_000;
const accountsMax = 20_000;

export interface Pressure {
  /** Solutions accepted here per second. What bots have to pay for; puzzles asked for would cost them nothing and raise everybody's price. */
  solvedPerSecond: number;
  /** Puzzles this account has asked for within three minutes. */
  askedByAccount: number;
}

/** Tries that a puzzle may take under this pressure. Rises with it and stays within {@link triesMax}. */
export function triesUnder({ solvedPerSecond, askedByAccount }: Pressure): number {
  const crowd = Math.max(1, solvedPerSecond / solvedPerSecondCalm);
  const insistence = 2 ** Math.min(16, Math.max(0, askedByAccount - askedByAccountCalm));
  return Math.round(Math.min(triesMax.hardest, triesMax.easiest * crowd * insistence));
}

/** Measures the pressure on this gateway. Each sees its share, and that is what it has to withstand. */
@Injectable()
export class ChallengeDifficulty {
  private readonly asked = new Recent<{ count: number; sinceMs: number }>(accountsMax);
  private window = { startedMs: -Infinity, solved: 0 };
  private previousSolved = 0;

  /** An account asks for a puzzle. @returns the tries that it may take */
  ask(accountId: string, nowMs: number): number {
    const known = this.asked.get(accountId);
    const recent = known && nowMs - known.sinceMs < accountMemoryMs ? known : { count: 0, sinceMs: nowMs };
    const count = recent.count + 1;
    this.asked.set(accountId, { count, sinceMs: recent.sinceMs });
    return triesUnder({ solvedPerSecond: this.solvedPerSecond(nowMs), askedByAccount: count });
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
