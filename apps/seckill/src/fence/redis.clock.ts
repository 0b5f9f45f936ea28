import { Injectable } from '@nestjs/common';

/** Redis's clock, which decides openings, carried on by our own monotonic one between looks. */
@Injectable()
export class RedisClock {
  private redisMs = 0;
  private monotonicMs = 0;

  set(redisMs: number): void {
    this.redisMs = redisMs;
    this.monotonicMs = performance.now();
  }

  /** Epoch milliseconds; 0 before Redis was ever reached. */
  now(): number {
    return this.redisMs === 0 ? 0 : Math.round(this.redisMs + performance.now() - this.monotonicMs);
  }
}
