import { classifyFailure } from '../errors.js';
import { together } from '../telemetry/trace.js';
import { currentWork, type Work } from '../telemetry/work.js';

export interface BatcherOptions {
  /** Questions that travel together at most. */
  readonly sizeMax: number;
  /** Batches under way at once. While there are fewer, a question leaves at once and alone; else it waits for company. */
  readonly batchesInFlightMax: number;
}

interface Waiting<A, R> {
  ask: A;
  work: Work | undefined;
  resolve: (answer: R) => void;
  reject: (error: unknown) => void;
}

/**
 * Lets callers ask one thing each while the work is done in batches: no timer, so an idle service answers at once and a busy one
 * answers many for the price of one. A failing batch is halved until the guilty question stands alone; its neighbours get their answers,
 * so `run` must change nothing when it throws.
 */
export class Batcher<A, R> {
  private waiting: Waiting<A, R>[] = [];
  private inFlight = 0;

  /** @param run answers in the order of the questions */
  constructor(private readonly run: (asks: A[]) => Promise<readonly R[]>, private readonly options: BatcherOptions) {}

  /** Resolves with this question's answer; rejects with the error that it caused when it was asked alone. */
  ask(ask: A): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.waiting.push({ ask, work: currentWork(), resolve, reject });
      this.next();
    });
  }

  private next(): void {
    if (this.waiting.length === 0 || this.inFlight >= this.options.batchesInFlightMax) return;
    const batch = this.waiting.splice(0, this.options.sizeMax);
    this.inFlight++;
    void this.answer(batch).finally(() => {
      this.inFlight--;
      this.next();
    });
  }

  /** Never rejects: every caller has been told its outcome. */
  private async answer(batch: Waiting<A, R>[]): Promise<void> {
    try {
      const answers = await together(batch.map(({ work }) => work), 'batch', () => ({ kind: 'internal', attributes: { 'floodgate.batch.size': batch.length } }), () => this.run(batch.map(({ ask }) => ask)));
      if (answers.length !== batch.length) throw new Error(`${answers.length} answers to ${batch.length} questions`);
      batch.forEach(({ resolve }, index) => resolve(answers[index] as R));
    } catch (error) {
      // Nobody is guilty of an outage: asking again in halves would only wait for the same time-out, many times.
      if (classifyFailure(error) === 'infrastructure') return batch.forEach(({ reject }) => reject(error));
      const half = Math.ceil(batch.length / 2);
      if (batch.length === 1) return batch[0]?.reject(error);
      await this.answer(batch.slice(0, half));
      await this.answer(batch.slice(half));
    }
  }
}
