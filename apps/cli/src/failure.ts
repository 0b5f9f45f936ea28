import type { Ending } from './exit-codes.js';

/** What the gateway says of a refusal (RFC 9457), as far as it could be read. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId?: string;
  readonly errors?: readonly { path: string; message: string }[];
}

/** A command that did not do what it was asked, in one sentence for people. */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(readonly ending: Exclude<Ending, 'done'>, message: string, readonly problem: Problem | null = null) {
    super(message);
  }
}

export const usageFailure = (message: string): Failure => new Failure('usage', message);
