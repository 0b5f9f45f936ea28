/** A message that no retry can save (bad shape, unknown version): it becomes a dead letter at once. */
export class PermanentError extends Error {
  override name = 'PermanentError';
}

/**
 * A server is away: nothing is wrong with the work in hand. A consumer pauses, probes and resumes; no attempt is counted.
 * `outcome` is `unknown` where the lost connection may have carried the work out (a COMMIT whose answer never came).
 */
export class InfrastructureError extends Error {
  override name = 'InfrastructureError';
  readonly outcome: 'not-done' | 'unknown';

  constructor(message: string, options: { cause?: unknown; outcome?: 'not-done' | 'unknown' } = {}) {
    super(message, { cause: options.cause });
    this.outcome = options.outcome ?? 'not-done';
  }
}

/**
 * Thrown by a handler that was given one message holding several things, one of which fails: the message is republished as these
 * bodies, one message each, before an attempt is counted.
 */
export class SplitError extends Error {
  override name = 'SplitError';

  constructor(readonly bodies: unknown[]) {
    super(`to be split into ${bodies.length} messages`);
  }
}

export type PublishErrorCode = 'UNROUTABLE' | 'NACKED' | 'TIMEOUT' | 'NOT_CONNECTED' | 'CLOSED' | 'BLOCKED' | 'OVERLOADED';

/** `outcome` `unknown`: the broker may have the message; publish it again under the same id, never undo what it stands for. */
export class PublishError extends Error {
  override name = 'PublishError';
  readonly outcome: 'not-published' | 'unknown';

  constructor(readonly code: PublishErrorCode, detail: string) {
    super(`${code}: ${detail}`);
    this.outcome = code === 'NACKED' || code === 'TIMEOUT' || code === 'CLOSED' ? 'unknown' : 'not-published';
  }
}

export type RequestErrorCode = 'UNROUTABLE' | 'TIMEOUT' | 'CLOSED' | 'FAILED' | 'NOT_CONNECTED' | 'OVERLOADED';

/** Why a request between services has no answer. `not-executed`: nobody has begun to work on it. */
export class RequestError extends Error {
  override name = 'RequestError';
  readonly outcome: 'not-executed' | 'unknown';

  constructor(readonly code: RequestErrorCode, detail: string) {
    super(`${code}: ${detail}`);
    this.outcome = code === 'TIMEOUT' || code === 'CLOSED' || code === 'FAILED' ? 'unknown' : 'not-executed';
  }
}

/** How a consumer treats a failure; looks through `cause`, so an outage stays an outage when it is wrapped. */
export type FailureClass = 'permanent' | 'infrastructure' | 'split' | 'transient';

export function classifyFailure(error: unknown): FailureClass {
  if (error instanceof SplitError) return 'split';
  let cause: unknown = error;
  for (let depth = 0; depth < 5 && cause; depth++, cause = (cause as Error).cause) {
    if (cause instanceof PermanentError) return 'permanent';
    if (cause instanceof InfrastructureError || cause instanceof PublishError) return 'infrastructure';
    // FAILED is an answer: the other side is there and could not do it.
    if (cause instanceof RequestError) return cause.code === 'FAILED' ? 'transient' : 'infrastructure';
  }
  return 'transient';
}

/** One line for logs and headers; the stack and secrets in it stay at home. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
