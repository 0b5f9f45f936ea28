import { build, type Histogram } from 'hdr-histogram-js';

import type { Latency } from '../measurement.js';
import { LoadConnection } from './load-connection.js';

export interface LoadPlan {
  readonly origin: URL;
  readonly connections: number;
  readonly seconds: number;
  /** Goes on until so many requests are answered, but not longer than five times as long: a slow machine has few in a second, and few say little. */
  readonly answersMin?: number;
  /** Open loop: so many are sent a second, whatever becomes of those before. Null: each connection sends as soon as it has an answer. */
  readonly perSecond: number | null;
  /** The bytes of a request, latin1. @param nth from 0 */
  readonly request: (nth: number) => string;
  readonly signal: AbortSignal;
}

export interface LoadResult {
  /** Answers by status; 0: the connection broke. */
  readonly answers: ReadonlyMap<number, number>;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly latencyMs: Latency;
}

/** How long answers may come after the last request. */
const lingerMs = 20_000;
const pollMs = 5;
const timesLongerMax = 5;

/** Sends requests for so long and waits for the answers. */
export async function load(plan: LoadPlan): Promise<LoadResult> {
  const run = new LoadRun(plan);
  try {
    return await run.play();
  } finally {
    run.close();
  }
}

class LoadRun {
  private readonly answers = new Map<number, number>();
  private readonly histogram: Histogram = build({ bitBucketSize: 32, lowestDiscernibleValue: 1, highestTrackableValue: 120_000_000, numberOfSignificantValueDigits: 3 });
  private readonly free: LoadConnection[];
  private readonly all: readonly LoadConnection[];
  private sent = 0;
  private answered = 0;
  private lastAnswerMs = 0;
  private untilMs = 0;
  private latestMs = 0;

  constructor(private readonly plan: LoadPlan) {
    this.all = Array.from({ length: plan.connections }, () => new LoadConnection(plan.origin.hostname, Number(plan.origin.port)));
    this.free = [...this.all];
  }

  async play(): Promise<LoadResult> {
    const { plan } = this;
    const startedAtMs = performance.now();
    this.untilMs = startedAtMs + plan.seconds * 1_000;
    this.latestMs = startedAtMs + plan.seconds * 1_000 * timesLongerMax;
    if (plan.perSecond === null) for (const connection of this.free.splice(0)) this.sendAgain(connection);
    else await this.keepPace(startedAtMs, plan.perSecond);
    while (this.goesOn()) await pause();
    const giveUpMs = performance.now() + lingerMs;
    while (this.answered < this.sent && performance.now() < giveUpMs && !plan.signal.aborted) await pause();
    const lost = this.sent - this.answered;
    if (lost > 0) this.answers.set(0, (this.answers.get(0) ?? 0) + lost);
    const at = (percentile: number): number => this.histogram.getValueAtPercentile(percentile) / 1_000;
    return { answers: this.answers, seconds: (this.lastAnswerMs - startedAtMs) / 1_000, latencyMs: { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9) } };
  }

  close(): void {
    for (const connection of this.all) connection.close();
  }

  private goesOn(): boolean {
    const nowMs = performance.now();
    const enough = this.plan.perSecond !== null || this.answered >= (this.plan.answersMin ?? 0);
    return !this.plan.signal.aborted && (nowMs < this.untilMs || (!enough && nowMs < this.latestMs));
  }

  private sendAgain(connection: LoadConnection): void {
    if (this.goesOn()) this.send(connection, performance.now(), () => this.sendAgain(connection));
  }

  /** What is due and finds no free connection waits for one, and its time runs. */
  private async keepPace(startedAtMs: number, rate: number): Promise<void> {
    const total = Math.round(this.plan.seconds * rate);
    const waiting: number[] = [];
    const next = (): void => {
      while (waiting.length > 0 && this.free.length > 0) {
        const connection = this.free.pop()!;
        this.send(connection, waiting.shift()!, () => {
          this.free.push(connection);
          next();
        });
      }
    };
    for (let due = 0; due < total && !this.plan.signal.aborted; await pause(1)) {
      const nowMs = performance.now();
      for (; due < total && startedAtMs + (due * 1_000) / rate <= nowMs; due++) waiting.push(startedAtMs + (due * 1_000) / rate);
      next();
    }
    const giveUpMs = performance.now() + lingerMs;
    while (waiting.length > 0 && performance.now() < giveUpMs && !this.plan.signal.aborted) await pause();
    if (waiting.length > 0) this.answers.set(0, waiting.length);
  }

  private send(connection: LoadConnection, meantAtMs: number, then: () => void): void {
    connection.send(this.plan.request(this.sent++), (status) => {
      this.answered++;
      this.lastAnswerMs = performance.now();
      this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
      this.histogram.recordValue(Math.max(1, Math.round((this.lastAnswerMs - meantAtMs) * 1_000)));
      then();
    });
  }
}

const pause = (ms = pollMs): Promise<void> => new Promise((resolve) => {
  setTimeout(resolve, ms);
});
