import { beforeEach, describe, expect, it } from '@jest/globals';
import { PlatformClock } from './platform-clock.js';

class SetClock extends PlatformClock {
  local = 0;
  override localMs(): number {
    return this.local;
  }
}

const start = 1_800_000_000_000;
let clock: SetClock;
beforeEach(() => { clock = new SetClock(); });

/** A reading of Redis's clock at local time `at`, which then travelled for a while. */
function hear(at: number, travelMs: number, skewMs = 0): void {
  clock.local = at + travelMs;
  clock.see(start + at + skewMs);
}

describe('the platform clock', () => {
  it('is unknown before the first reading; staff have the local one meanwhile', () => {
    expect(clock.nowMs()).toBeNull();
    expect(Math.abs(clock.nowOrLocalMs() - Date.now())).toBeLessThan(1_000);
  });

  it('follows the reading that travelled least, and is never ahead of Redis', () => {
    for (const [at, travelMs] of [[0, 30], [1_000, 4], [2_000, 80], [3_000, 12]] as const) {
      hear(at, travelMs);
      expect(clock.nowMs()).toBeLessThanOrEqual(start + clock.local);
    }
    clock.local = 3_500;
    expect(clock.nowMs()).toBe(start + 3_496);
  });

  it('never goes back, and never behind what Redis said', () => {
    hear(1_000, 0);
    clock.local = 5_000;
    expect(clock.nowMs()).toBe(start + 5_000);
    hear(6_000, 0, -3_000);
    expect(clock.nowMs()).toBe(start + 6_000);
    clock.local = 0;
    expect(clock.nowMs()).toBe(start + 6_000);
  });

  it('forgets old readings, so that a drifting clock stays close', () => {
    for (let at = 0; at <= 600_000; at += 1_000) hear(at, 2, -at / 1_000);
    clock.local = 600_000;
    const behindMs = start + 600_000 - 600 - (clock.nowMs() ?? 0);
    expect(Math.abs(behindMs)).toBeLessThanOrEqual(62);
  });
});
