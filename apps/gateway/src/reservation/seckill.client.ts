import { Injectable } from '@nestjs/common';
import type { Attempt, AttemptResult } from '@floodgate/contracts';
import { aside, createLogger, currentWork, errorText, RequestClient, RequestError, together, type Work } from '@floodgate/platform';
import { PlatformClock } from '../board/platform-clock.js';
import { attemptsWaiting, reserveSeconds } from '../metrics.js';

/** Limits of one lane's traffic; the figures are those that were measured to cost least. */
export const batching = {
  vectorsInFlightMax: 2,
  attemptsPerVectorMax: 256,
  /** More than a lane decides within a tenth of a second: who comes on top would wait for nothing. */
  attemptsWaitingMax: 4_096,
  /** A request that was never sent is turned away while the client still listens. */
  waitingMaxMs: 800,
  /** Later than this Redis does nothing, so that nobody who was given up is admitted afterwards. */
  deadlineMs: 2_000,
  /** The answer may take a little longer than the deadline it had to keep. */
  answerTimeoutMs: 2_500,
} as const;

/** What became of an attempt: seckill's word, or `overloaded`: it was never sent. */
export type Judged = Omit<AttemptResult, 'word'> & { word: AttemptResult['word'] | 'overloaded' };

const logger = createLogger('seckill-client');

interface Waiting {
  attempt: Attempt;
  work: Work | undefined;
  sinceMs: number;
  resolve: (judged: Judged) => void;
}

/** Sends attempts to seckill in company: at once while fewer than two vectors of the lane are in flight, else together with those that come. */
@Injectable()
export class SeckillClient {
  private readonly lanes = new Map<string, LaneTraffic>();

  constructor(private readonly client: RequestClient, private readonly clock: PlatformClock) {
    attemptsWaiting.read = () => [[{}, [...this.lanes.values()].reduce((sum, lane) => sum + lane.waitingCount, 0)]];
  }

  /** Never rejects: an answer that never came is the word `outcome-unknown`, one that cannot come is `unavailable`. */
  reserve(saleId: string, lane: number, attempt: Attempt): Promise<Judged> {
    const key = `${saleId}:${lane}`;
    let traffic = this.lanes.get(key);
    if (!traffic) {
      traffic = new LaneTraffic((attempts) => this.send(saleId, lane, attempts), () => this.lanes.delete(key));
      this.lanes.set(key, traffic);
    }
    return traffic.add(attempt);
  }

  private async send(saleId: string, lane: number, attempts: Attempt[]): Promise<AttemptResult[]> {
    const nowMs = this.clock.nowMs();
    if (nowMs === null) return attempts.map(() => ({ word: 'unavailable' }));
    const deadlineAtMs = nowMs + batching.deadlineMs;
    const { results } = await this.client.ask('reserve', { saleId, lane, deadlineAtMs, attempts }, { timeoutMs: batching.answerTimeoutMs });
    return results;
  }
}

/** The attempts of one lane: those in flight and those that wait for company. */
class LaneTraffic {
  private waiting: Waiting[] = [];
  private inFlight = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly send: (attempts: Attempt[]) => Promise<AttemptResult[]>, private readonly idle: () => void) {}

  get waitingCount(): number {
    return this.waiting.length;
  }

  add(attempt: Attempt): Promise<Judged> {
    if (this.waiting.length >= batching.attemptsWaitingMax) return Promise.resolve({ word: 'overloaded' });
    return new Promise((resolve) => {
      this.waiting.push({ attempt, work: currentWork(), sinceMs: performance.now(), resolve });
      if (this.inFlight < batching.vectorsInFlightMax) void this.sendNext();
      else this.timer ??= setTimeout(() => this.turnAway(), batching.waitingMaxMs);
    });
  }

  private async sendNext(): Promise<void> {
    const vector = this.waiting.splice(0, batching.attemptsPerVectorMax);
    this.inFlight++;
    const start = () => ({ kind: 'internal', attributes: { 'floodgate.attempts': vector.length } }) as const;
    const results = await together(vector.map(({ work }) => work), 'vector of attempts', start, () => this.judge(vector));
    this.inFlight--;
    // Once per vector: its oldest attempt stands for all of them.
    if (vector[0]) reserveSeconds.observe((performance.now() - vector[0].sinceMs) / 1_000);
    logUnknown(vector, results);
    vector.forEach(({ resolve }, index) => resolve(results[index] ?? unknown));
    if (this.waiting.length > 0) void this.sendNext();
    else if (this.inFlight === 0) this.finish();
  }

  private async judge(vector: readonly Waiting[]): Promise<Judged[]> {
    try {
      const results = await this.send(vector.map(({ attempt }) => attempt));
      // Results stand in the order of the attempts; of another number none can be told whose it is.
      return results.length === vector.length ? results : [];
    } catch (error) {
      if (!(error instanceof RequestError)) logger.error(errorText(error));
      const judged: Judged = { word: wordOf(error) };
      return vector.map(() => judged);
    }
  }

  /** The oldest have waited long enough: seckill is slower than they come, or silent. */
  private turnAway(): void {
    this.timer = null;
    const oldestMs = performance.now() - batching.waitingMaxMs;
    const late = this.waiting.findIndex(({ sinceMs }) => sinceMs > oldestMs);
    for (const { resolve } of this.waiting.splice(0, late === -1 ? this.waiting.length : late)) resolve({ word: 'overloaded' });
    const [next] = this.waiting;
    if (next) this.timer = setTimeout(() => this.turnAway(), next.sinceMs - oldestMs);
  }

  private finish(): void {
    if (this.timer) clearTimeout(this.timer);
    this.idle();
  }
}

const unknown: Judged = { word: 'outcome-unknown' };

/** Who comes with a request's id finds here which reservation it may have made: the id itself does not travel in a vector of many. */
function logUnknown(vector: readonly Waiting[], results: readonly Judged[]): void {
  const attempts = vector.filter((_, index) => (results[index] ?? unknown).word === 'outcome-unknown').map(({ attempt: { rid }, work }) => ({ rid, requestId: work?.requestId }));
  if (attempts.length > 0) aside(() => logger.warn({ attempts }, 'the outcome is unknown'));
}

/** Whether a vector without an answer may have been carried out. */
function wordOf(error: unknown): Judged['word'] {
  if (!(error instanceof RequestError) || error.outcome === 'unknown') return 'outcome-unknown';
  return error.code === 'OVERLOADED' ? 'overloaded' : 'unavailable';
}
