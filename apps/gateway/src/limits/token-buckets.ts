import { randomBytes } from 'node:crypto';

const { ceil, imul, log2, max } = Math;

/** Keys that share a place compete only with each other: with four, hardly any that matters is ever pushed out. */
const ways = 4;
/** Sums of milliseconds that are no integers; less than this is no wait. */
const toleranceMs = 1e-6;

/**
 * Token buckets of very many keys in memory that never grows: one number per key, the time at which its bucket would be full again (GCRA).
 * Where a place is taken, the fullest bucket gives way, which forgets least: an attacker who rotates through a million addresses pushes out
 * buckets that were used once, not the ones that are empty. Constant time, no allocation.
 */
export class TokenBuckets {
  private readonly fullAtMs: Float64Array;
  private readonly tags: Uint32Array;
  private readonly setMask: number;
  // Nobody outside can tell which keys share a place.
  private readonly seed = randomBytes(4).readUInt32LE();

  /** @param keysMax rounded up to a power of two; 12 bytes each */
  constructor(keysMax: number) {
    const sets = 2 ** ceil(log2(max(1, keysMax / ways)));
    this.setMask = sets - 1;
    this.fullAtMs = new Float64Array(sets * ways);
    this.tags = new Uint32Array(sets * ways);
  }

  /**
   * Takes a token.
   * @param nowMs of a clock that never goes back
   * @returns 0, or the milliseconds until there is a token; then nothing was taken
   */
  take(key: string, perMinute: number, burst: number, nowMs: number): number {
    const intervalMs = 60_000 / perMinute;
    const slot = this.slotOf(key);
    const fullAtMs = max(this.fullAtMs[slot]!, nowMs);
    const waitMs = fullAtMs + intervalMs - nowMs - burst * intervalMs;
    if (waitMs > toleranceMs) return waitMs;
    this.fullAtMs[slot] = fullAtMs + intervalMs;
    return 0;
  }

  /** What it takes of memory, whatever comes. */
  get bytes(): number {
    return this.fullAtMs.byteLength + this.tags.byteLength;
  }

  private slotOf(key: string): number {
    let place = this.seed;
    let tag = ~this.seed;
    for (let at = 0; at < key.length; at++) {
      const code = key.charCodeAt(at);
      place = imul(place ^ code, 0x01000193);
      tag = imul(tag ^ code, 0x85ebca6b) ^ (tag >>> 15);
    }
    // 0 marks a place that nobody has taken.
    tag = tag >>> 0 || 1;
    const first = (mixed(place) & this.setMask) * ways;
    let fullest = first;
    for (let slot = first; slot < first + ways; slot++) {
      if (this.tags[slot] === tag) return slot;
      if (this.fullAtMs[slot]! < this.fullAtMs[fullest]!) fullest = slot;
    }
    this.tags[fullest] = tag;
    this.fullAtMs[fullest] = 0;
    return fullest;
  }
}

/** Every bit of the sum in every bit of the place (the last step of MurmurHash3). */
function mixed(sum: number): number {
  let hash = imul(sum ^ (sum >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
