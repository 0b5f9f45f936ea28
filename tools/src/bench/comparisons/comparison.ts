import type { Measurement } from '../measurement.js';
import type { Subject } from '../subjects/subject.js';

/** How a round is measured. */
export interface RoundOptions {
  /** How long load is put on each subject. */
  readonly seconds: number;
  readonly connections: number;
  /** The load goes on until so many requests are answered, within bounds. */
  readonly answersMin: number;
  readonly signal: AbortSignal;
}

/** Who and what there is to measure. */
export interface Arena {
  /** Those who answer over HTTP. @throws where there is nobody of this name */
  subject(name: string): Subject;
  readonly servers: { readonly redis: Server; readonly rabbitmq: Server; readonly postgres: Server };
}

interface Server {
  readonly url: string;
  readonly pid: number;
}

/** One question, put to several subjects in turn. */
export interface Comparison {
  readonly name: string;
  /** What it is about, for whoever reads the report. */
  readonly title: string;
  /** What is counted as one, in words. */
  readonly operation: string;
  readonly subjects: readonly string[];
  /** Before the first round, once for each subject however many comparisons share it; absent: nothing is to be warmed up. */
  readonly warmUp?: (subject: Subject, options: RoundOptions) => Promise<void>;
  measure(arena: Arena, subject: string, options: RoundOptions): Promise<Measurement>;
  readonly targets: readonly TargetRow[];
}

/** A figure that two subjects make together in each round, and what it has to be. */
export interface TargetRow {
  readonly name: string;
  readonly of: (round: ReadonlyMap<string, Measurement>) => number;
  /** `at least` or `at most` so much. */
  readonly sense: 'at-least' | 'at-most';
  readonly must: number;
  readonly stretch: number;
}

/** How many times one subject's figure another's is, in one round. */
export function times(figure: (measurement: Measurement) => number, dividend: string, divisor: string): TargetRow['of'] {
  return (round) => figure(of(round, dividend)) / figure(of(round, divisor));
}

function of(round: ReadonlyMap<string, Measurement>, subject: string): Measurement {
  const found = round.get(subject);
  if (!found) throw new Error(`${subject} was not measured`);
  return found;
}
