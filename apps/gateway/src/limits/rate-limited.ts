import { refuse, type Refusal } from '@floodgate/contracts';

export type LimitScope = 'ip' | 'account' | 'sale';

/** That a limit was passed, and how long it will stay passed. */
export interface Limited {
  scope: LimitScope;
  waitMs: number;
}

const details: Record<LimitScope, string> = {
  ip: 'Too many requests come from this address.',
  account: 'This account sends too many requests.',
  sale: 'Too many attempts in this sale.',
};
/** Sooner than this nobody need ask again, and later than this nobody should be told to. */
const waitMinMs = 250;
const waitMaxMs = 60_000;

/** 429 with the time after which it makes sense to come again, and up to half of it more, so that those turned away together do not come back together. */
export function rateLimited({ scope, waitMs }: Limited): Refusal {
  const baseMs = Math.min(Math.max(waitMs, waitMinMs), waitMaxMs);
  return refuse('RATE_LIMITED', details[scope], { scope, retryAfterMs: Math.ceil(baseMs * (1 + Math.random() / 2)) });
}
