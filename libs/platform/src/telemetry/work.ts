import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from './trace.js';

/**
 * For which request something is done. It is over when that has been done: what goes on afterwards (a timer that it set, a loop that
 * it woke) is nobody's, although it descends from it.
 */
export interface Work {
  /** The id of the client's request, as in its answer; absent where several are served at once, or none. */
  readonly requestId: string | undefined;
  /** Where it stands in a trace; absent unless it belongs to one that is recorded. */
  readonly span?: Span | undefined;
  over: boolean;
}

/** A sane id of a request: of a client as well as in a message. */
export const requestIdPattern = /^[A-Za-z0-9._-]{1,64}$/;

const works = new AsyncLocalStorage<Work | undefined>();

export const workFor = (requestId: string | undefined, span?: Span): Work => ({ requestId, span, over: false });

/** What is being done here and now; undefined where it is for nobody in particular. */
export function currentWork(): Work | undefined {
  const work = works.getStore();
  return work?.over ? undefined : work;
}

/** Runs this as a part of that work, which may go on afterwards. */
export const partOf = <T>(work: Work | undefined, run: () => T): T => works.run(work, run);

/** Runs this as the whole of that work. */
export async function wholeOf<T>(work: Work, run: () => Promise<T>): Promise<T> {
  try {
    return await works.run(work, run);
  } finally {
    work.over = true;
  }
}

/** Runs this for nobody: what one request sets going and others share. */
export const aside = <T>(run: () => T): T => works.run(undefined, run);

/** The request that all of these belong to; undefined where they belong to several, or to none. */
export function commonRequest(origins: readonly ({ requestId?: string | undefined } | undefined)[]): string | undefined {
  const requestId = origins[0]?.requestId;
  return requestId !== undefined && origins.every((origin) => origin?.requestId === requestId) ? requestId : undefined;
}

/** What every log line says of the work it is about. */
export function workFields(): { requestId?: string; traceId?: string } {
  const work = currentWork();
  return {
    ...(work?.requestId === undefined ? {} : { requestId: work.requestId }),
    ...(work?.span ? { traceId: work.span.traceId } : {}),
  };
}

/** What a question or a message carries of the work it comes from. */
export function workHeaders(): { requestId?: string; traceparent?: string } {
  const work = currentWork();
  return {
    ...(work?.requestId === undefined ? {} : { requestId: work.requestId }),
    ...(work?.span ? { traceparent: work.span.traceparent } : {}),
  };
}
