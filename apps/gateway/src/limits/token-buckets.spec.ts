import { describe, expect, it } from '@jest/globals';
import { TokenBuckets } from './token-buckets.js';

const takeAll = (buckets: TokenBuckets, key: string, times: number, nowMs: number) =>
  Array.from({ length: times }, () => buckets.take(key, 60, 3, nowMs)).filter((waitMs) => waitMs === 0).length;

describe('a token bucket', () => {
  it('gives its burst at once, then one per interval, and says how long to wait', () => {
    const buckets = new TokenBuckets(16);
    expect(takeAll(buckets, 'a', 5, 1_000)).toBe(3);
    expect(buckets.take('a', 60, 3, 1_400)).toBeCloseTo(600);
    expect(takeAll(buckets, 'a', 5, 2_000)).toBe(1);
    expect(takeAll(buckets, 'a', 5, 60_000)).toBe(3);
  });

  it('is not emptied by those who are refused', () => {
    const buckets = new TokenBuckets(16);
    expect(takeAll(buckets, 'a', 1_000, 0)).toBe(3);
    expect(takeAll(buckets, 'a', 1_000, 1_000)).toBe(1);
  });

  it('is of one key alone', () => {
    const buckets = new TokenBuckets(1_024);
    for (const key of ['a', 'b', 'ab', 'ba', '']) expect(takeAll(buckets, key, 9, 0)).toBe(3);
  });

  it('gives exactly its rate over a long time, with intervals that are no whole milliseconds', () => {
    const buckets = new TokenBuckets(16);
    let taken = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 3) if (buckets.take('a', 7_000, 1, nowMs) === 0) taken++;
    expect(taken).toBeGreaterThan(6_600);
    expect(taken).toBeLessThanOrEqual(7_000);
  });
});

describe('a million keys', () => {
  it('take no more memory than one, and do not free those that are limited', () => {
    const buckets = new TokenBuckets(65_536);
    const before = buckets.bytes;
    expect(takeAll(buckets, 'the attacker', 9, 0)).toBe(3);
    for (let number = 0; number < 1_000_000; number++) buckets.take(`2001:db8:${number >>> 16}:${number & 0xffff}`, 60, 3, 0);
    expect(takeAll(buckets, 'the attacker', 9, 0)).toBe(0);
    expect(buckets.bytes).toBe(before);
    expect(before).toBe(65_536 * 12);
  });

  it('hardly ever share a bucket', () => {
    const buckets = new TokenBuckets(262_144);
    let refused = 0;
    for (let number = 0; number < 100_000; number++) if (buckets.take(`account-${number}`, 60, 1, 0) > 0) refused++;
    expect(refused).toBeLessThanOrEqual(5);
  });
});
