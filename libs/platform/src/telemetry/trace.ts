import { commonRequest, currentWork, wholeOf, workFor, type Work } from './work.js';

/** Of metrics' kind: words and counts, never an account, an address or a value that a client sent. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  kind: 'server' | 'client' | 'producer' | 'consumer' | 'internal';
  attributes?: SpanAttributes;
}

/** One step of a trace that is recorded, under way. */
export interface Span {
  readonly traceId: string;
  /** W3C trace context, for whoever goes on elsewhere. */
  readonly traceparent: string;
  set(attributes: SpanAttributes): void;
  /** The other way of a link that the other span has to this one. */
  link(to: Span): void;
  /** It came to nothing; only the kind of the error is kept, its words may name somebody. */
  fail(error: unknown): void;
  end(): void;
}

/** A step before: here, or elsewhere by its W3C trace context. */
export type SpanParent = Span | string;

export interface Tracer {
  /** The first step of a new trace; undefined where the sampler passes it over. */
  begin(name: string, start: SpanStart): Span | undefined;
  /** A step after another, and after those that it was done together with; undefined where the trace context is none. */
  next(name: string, start: SpanStart, parent: SpanParent, others: readonly SpanParent[]): Span | undefined;
}

/** Whoever asks, publishes or has something done for others: by its work here, or by what came with its message. */
export type Origin = { requestId?: string | undefined; span?: Span | undefined; traceparent?: string | undefined } | undefined;

let tracer: Tracer | undefined;

/** Without a tracer nothing below costs more than a look at this variable. */
export function traceWith(next: Tracer | undefined): void {
  tracer = next;
}

/** The step that is under way here, if it is recorded. */
export const currentSpan = (): Span | undefined => (tracer ? currentWork()?.span : undefined);

/** Serves a client's request: with its id, and as the first step of a trace if the sampler wants one. */
export function served<T>(requestId: string, name: string, start: () => SpanStart, run: () => Promise<T>): Promise<T> {
  return inSpan(tracer?.begin(name, start()), requestId, run);
}

/** Runs this as a step of the trace that is being worked for; as nothing special where there is none. */
export function traced<T>(name: string | (() => string), start: SpanStart, run: () => Promise<T>): Promise<T> {
  if (!tracer) return run();
  const work = currentWork();
  const span = work?.span && tracer.next(typeof name === 'string' ? name : name(), start, work.span, []);
  return span ? inSpan(span, work?.requestId, run) : run();
}

/** Goes on with what began elsewhere. */
export function resumed<T>(origin: Origin, name: string, start: SpanStart, run: () => Promise<T>): Promise<T> {
  const parent = parentOf(origin);
  return inSpan(parent === undefined ? undefined : tracer?.next(name, start, parent, []), origin?.requestId, run);
}

/** Does for all of them at once what each of them began: a step after the first that is recorded, with links to the others. */
export function together<T>(origins: readonly Origin[], name: string, start: () => SpanStart, run: () => Promise<T>): Promise<T> {
  const requestId = commonRequest(origins);
  if (!tracer) return inSpan(undefined, requestId, run);
  const parents = origins.map(parentOf).filter((parent) => parent !== undefined);
  const [first, ...others] = parents;
  const span = first === undefined ? undefined : tracer.next(name, start(), first, others);
  if (span) for (const other of others) if (typeof other !== 'string') other.link(span);
  return inSpan(span, requestId, run);
}

const parentOf = (origin: Origin): SpanParent | undefined => origin?.span ?? origin?.traceparent;

async function inSpan<T>(span: Span | undefined, requestId: string | undefined, run: () => Promise<T>): Promise<T> {
  if (!span) return wholeOf(workFor(requestId), run);
  try {
    return await wholeOf(workFor(requestId, span), run);
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

export type { Work };
