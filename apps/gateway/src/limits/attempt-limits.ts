import { Injectable } from '@nestjs/common';
import type { SaleDocument } from '@floodgate/contracts';
import { Switches } from '../switches/switches.js';
import type { Limited } from './rate-limited.js';
import { TokenBuckets } from './token-buckets.js';

const keysMax = 262_144;
const salesMax = 1_024;

/**
 * Attempts in a sale, counted before the script by each gateway: those of one account (the sale's `attemptsPerMinute`: so many at once, then
 * so many a minute), and those of everybody (a switch).
 */
@Injectable()
export class AttemptLimits {
  private readonly ofAccounts = new TokenBuckets(keysMax);
  private readonly ofSales = new TokenBuckets(salesMax);
  /** Milliseconds of a clock that never goes back. */
  now: () => number = () => performance.now();

  constructor(private readonly switches: Switches) {}

  /** Counts an attempt. @returns the limit that it passes, if any */
  count({ saleId, limits }: SaleDocument, accountId: string): Limited | null {
    const { attemptsPerMinute } = limits;
    const ofSale = this.switches.values['limits.sale.attempts-per-minute'];
    if (!attemptsPerMinute && ofSale === 0) return null;
    const nowMs = this.now();
    let waitMs = attemptsPerMinute ? this.ofAccounts.take(`${saleId}|${accountId}`, attemptsPerMinute, attemptsPerMinute, nowMs) : 0;
    // A tenth of a minute's attempts at once: an opening is a burst, but the seconds after it must not be empty.
    if (waitMs === 0 && ofSale > 0) waitMs = this.ofSales.take(saleId, ofSale, Math.ceil(ofSale / 10), nowMs);
    return waitMs === 0 ? null : { scope: 'sale', waitMs };
  }
}
