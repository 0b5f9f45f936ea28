/**
 * Every problem code of the public contract, with the HTTP status and title it always has.
 * `code` is the stable word of an error; see docs/api.md.
 */
export const problems = {
  INVALID_REQUEST: { status: 400, title: 'Invalid request' },
  UNAUTHENTICATED: { status: 401, title: 'Not authenticated' },
  BAD_SIGNATURE: { status: 401, title: 'Bad signature' },
  FORBIDDEN: { status: 403, title: 'Forbidden' },
  ENTRY_TOKEN_INVALID: { status: 403, title: 'Entry token invalid' },
  CHALLENGE_FAILED: { status: 403, title: 'Challenge failed' },
  BUYER_BLOCKED: { status: 403, title: 'Buyer blocked' },
  NOT_ELIGIBLE: { status: 403, title: 'Not eligible' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  SALE_NOT_FOUND: { status: 404, title: 'Sale not found' },
  ITEM_NOT_FOUND: { status: 404, title: 'Item not found' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'Method not allowed' },
  SOLD_OUT: { status: 409, title: 'Sold out' },
  LIMIT_REACHED: { status: 409, title: 'Limit reached' },
  SALE_PAUSED: { status: 409, title: 'Sale paused' },
  SALE_ENDED: { status: 409, title: 'Sale ended' },
  INSUFFICIENT_STOCK: { status: 409, title: 'Insufficient stock' },
  INVALID_TRANSITION: { status: 409, title: 'Not possible in this state' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'Payload too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'Unsupported media type' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'Idempotency key reused' },
  SALE_NOT_OPEN: { status: 425, title: 'Not open yet' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  INTERNAL: { status: 500, title: 'Internal error' },
  OVERLOADED: { status: 503, title: 'Overloaded' },
  UNAVAILABLE: { status: 503, title: 'Unavailable' },
  OUTCOME_UNKNOWN: { status: 503, title: 'Outcome unknown' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** The answer of a request between services: a value, or a refusal that names its problem code (a refusal is no exception). */
export type Outcome<T> = { ok: true; value: T } | Refusal;

export interface Refusal {
  ok: false;
  code: ProblemCode;
  detail: string;
  /** Members that the problem document carries besides the common ones, such as `itemId` or `state`. */
  extra?: Record<string, unknown>;
}

export const accept = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });

export const refuse = (code: ProblemCode, detail: string, extra?: Record<string, unknown>): Refusal =>
  extra ? { ok: false, code, detail, extra } : { ok: false, code, detail };
