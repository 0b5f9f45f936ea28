import { build, type Histogram } from 'hdr-histogram-js';

/** Counts of a run while it goes on, for the live lines; the report is made from the history. */
export class Tally {
  /** HTTP requests for reservations, retries included. */
  attempts = 0;
  accepted = 0;
  /** Presses that are due and have no lasting answer yet. */
  waiting = 0;
  /** Keys refused for good, by problem code. */
  readonly refused = new Map<string, number>();
  /** Answers that had to be asked again. */
  unknown = 0;
  /** Reservations in each state, as their buyers last saw them. */
  readonly states = { QUEUED: 0, ORDERED: 0, PAID: 0, FULFILLED: 0, RELEASED: 0 };
  private readonly latency: Histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: 3 });

  refuse(code: string): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  /** From the moment a request was meant to be sent until its lasting answer. */
  took(ms: number): void {
    this.latency.recordValue(Math.max(1, Math.round(ms * 1000)));
  }

  latencyMs(percentile: number): number {
    return Math.round(this.latency.getValueAtPercentile(percentile) / 100) / 10;
  }
}
