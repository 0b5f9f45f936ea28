import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * For which request something is done. It is over when that has been done: what goes on afterwards (a timer that it set, a loop that
 * it woke) is nobody's, although it descends from it.
 */
export interface Work {
  /** The id of the client's request, as in its answer; absent where several are served at once, or none. */
  readonly requestId: string | undefined;
  over: boolean;
}

/** A sane id of a request: of a client as well as in a message. */
export const requestIdPattern = /^[A-Za-z0-9._-]{1,64}$/;

const works = new AsyncLocalStorage<Work | undefined>();

export const workFor = (requestId: string | undefined): Work => ({ requestId, over: false });

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

/** Runs this for all of them at once: for whom it is can be said only where all belong to one request. */
export function together<T>(shared: readonly (Work | undefined)[], run: () => Promise<T>): Promise<T> {
  const requestId = shared[0]?.requestId;
  if (requestId === undefined || shared.some((work) => work?.requestId !== requestId)) return aside(run);
  return wholeOf(workFor(requestId), run);
}

/** What every log line says of the work it is about. */
export function workFields(): { requestId?: string } {
  const requestId = currentWork()?.requestId;
  return requestId === undefined ? {} : { requestId };
}
