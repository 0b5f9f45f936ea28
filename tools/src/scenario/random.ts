import { hash32 } from '@floodgate/contracts';

/**
 * Chance that depends on the seed and a label alone, not on the order of the questions: what a buyer does with a reservation
 * is the same in every run of the same seed, whichever answer comes first.
 */
export class Chance {
  constructor(private readonly seed: number) {}

  /** 0 (inclusive) to 1 (exclusive). */
  of(label: string): number {
    let x = hash32(`${this.seed}|${label}`) ^ Math.imul(this.seed, 0x9e3779b1);
    // FNV changes little between labels that differ in their last character; this mixes every bit into every other (murmur3's finalizer).
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  }

  /** Whether something that happens in this share of all cases happens here. */
  happens(label: string, share: number): boolean {
    return this.of(label) < share;
  }

  /** A whole number of the range, both ends included. */
  between(label: string, [from, to]: readonly [number, number]): number {
    return from + Math.floor(this.of(label) * (to - from + 1));
  }

  /** The index of a weighted choice. `cumulative[i]` is the sum of the weights up to and including i. */
  choose(label: string, cumulative: readonly number[]): number {
    const at = this.of(label) * (cumulative.at(-1) ?? 0);
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Running sums, for {@link Chance.choose}. */
export function cumulate(weights: readonly number[]): number[] {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
}
