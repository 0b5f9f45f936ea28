import { Injectable } from '@nestjs/common';

/** Two windows of this length are remembered: a clock that drifts 50 ppm is off by 3 ms then, not by seconds a day. */
const windowMs = 30_000;

/**
 * The clock that decides openings, Redis's, as far as this gateway knows it. Each reading travelled for a while, so the largest difference
 * to the local clock is the truest, and the estimate never runs ahead of Redis: what is open here is open there.
 */
@Injectable()
export class PlatformClock {
  private current = { startedMs: 0, offsetMs: -Infinity };
  private previousOffsetMs = -Infinity;
  private shownMs = 0;

  /** Takes in a reading of Redis's clock, epoch milliseconds. @param receivedMs when it came, of {@link PlatformClock.localMs} */
  see(atMs: number, receivedMs = this.localMs()): void {
    if (receivedMs - this.current.startedMs > windowMs) {
      this.previousOffsetMs = this.current.offsetMs;
      this.current = { startedMs: receivedMs, offsetMs: -Infinity };
    }
    this.current.offsetMs = Math.max(this.current.offsetMs, atMs - receivedMs);
    this.shownMs = Math.max(this.shownMs, atMs);
  }

  /** Epoch milliseconds, never going back; null before the first reading. */
  nowMs(): number | null {
    const offsetMs = Math.max(this.current.offsetMs, this.previousOffsetMs);
    if (offsetMs === -Infinity) return null;
    this.shownMs = Math.max(this.shownMs, Math.floor(this.localMs() + offsetMs));
    return this.shownMs;
  }

  /** For staff, who must be able to work while no clock is known: this machine's then. */
  nowOrLocalMs(): number {
    return this.nowMs() ?? Date.now();
  }

  /** Milliseconds of a clock that nobody sets. */
  localMs(): number {
    return performance.now();
  }
}
