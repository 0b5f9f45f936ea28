import { z } from 'zod';

/** How often, from 0 (never) to 1 (always). */
const share = z.number().min(0).max(1).default(0);
const milliseconds = z.int().min(0).max(600_000);

/**
 * Everything that this provider can be told to do wrong, all off by default. Whatever it does, its book tells the truth.
 * A share is drawn anew for each payment, notice or call, from `seed`: the nth draw of a switch always falls the same way.
 */
export const misbehaviourSchema = z.strictObject({
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  /** The whole provider: connections are broken at once, or never answered; nobody is called back meanwhile. */
  down: z.enum(['no', 'refuses', 'hangs']).default('no'),
  /** A call of the shop takes effect, and its connection breaks before the answer. */
  loseReply: share,
  /** A close is answered 500 and closes nothing. */
  failClose: share,
  /** The first so many refunds of each payment are answered 500 and give nothing back. */
  failRefunds: z.int().min(0).max(1_000).default(0),
  /** A buyer who pays is declined. */
  decline: share,
  /** A payment that was closed takes the buyer's money all the same, `captureAfterCloseMs` later. */
  captureAfterClose: share,
  captureAfterCloseMs: milliseconds.default(500),
  /** A payment is captured and told about before the answer to its opening. */
  earlyCallback: share,
  /** Nobody is ever told. */
  dropCallback: share,
  /** The notice comes up to `delayCallbackMs` late. */
  delayCallback: share,
  delayCallbackMs: milliseconds.default(2_000),
  /** The notice comes `repeatTimes` times. */
  repeatCallback: share,
  repeatTimes: z.int().min(2).max(100).default(20),
  /** Its deliveries come all at once instead of one after the other. */
  concurrentCallback: share,
  /** The notice waits until a later one of its payment was delivered, `reorderCallbackMs` at most. */
  reorderCallback: share,
  reorderCallbackMs: milliseconds.default(5_000),
  /** Beside the true notice come: one of another amount, one of a type that nobody knows, the same with an old signature, one forged. */
  wrongAmount: share,
  unknownType: share,
  staleTimestamp: share,
  forgedSignature: share,
});
export type MisbehaviourSettings = z.infer<typeof misbehaviourSchema>;
type Name = keyof MisbehaviourSettings;
/** The switches that are shares. */
export type Chance = { [K in Name]: MisbehaviourSettings[K] extends number ? K : never }[Name] & Exclude<Name, 'seed' | 'failRefunds' | 'repeatTimes' | `${string}Ms`>;

/** The switches as they stand now, and the dice. */
export class Misbehaviour {
  private dice = new Map<string, () => number>();
  private readonly listeners: (() => void)[] = [];

  constructor(private current: MisbehaviourSettings) {}

  get settings(): MisbehaviourSettings {
    return this.current;
  }

  /** From the next draw on, with new dice. */
  change(settings: MisbehaviourSettings): void {
    this.current = settings;
    this.dice = new Map();
    for (const listener of this.listeners) listener();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Does it happen this time? */
  happens(chance: Chance): boolean {
    const limit = this.current[chance];
    // No draw where nothing can come of it, so that switching one thing on moves no other's dice.
    return limit > 0 && this.draw(chance) < limit;
  }

  /** A whole number from 0 to `below` - 1. */
  pick(what: string, below: number): number {
    return Math.floor(this.draw(`pick ${what}`) * below);
  }

  private draw(name: string): number {
    const known = this.dice.get(name);
    if (known) return known();
    const fresh = seededDice(this.current.seed, name);
    this.dice.set(name, fresh);
    return fresh();
  }
}

/** Numbers from 0 to 1, the same for the same seed and name (mulberry32: good enough for dice, and five lines). */
function seededDice(seed: number, name: string): () => number {
  let state = Buffer.from(name).reduce((hash, byte) => Math.imul(hash ^ byte, 0x0100_0193), seed ^ 0x811c_9dc5);
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
