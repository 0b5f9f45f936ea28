import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

import type { View } from '@floodgate/contracts';

/** One request of an attempt and what came back. Times are epoch milliseconds of this machine. */
export interface Exchange {
  sentAtMs: number;
  answeredAtMs: number;
  /** A problem code, `ACCEPTED`, or `LOST` (no answer). */
  word: string;
  /** Whether the server may have acted on a lost request. */
  reached?: 'no' | 'maybe';
  /** Of a 202 or an OUTCOME_UNKNOWN. */
  rid?: string;
  number?: number;
  replayed?: boolean;
  /** The request bore no entry token, since the platform gave none. */
  tokenless?: boolean;
  /** Of SOLD_OUT: which item, and what was left of it. */
  itemId?: string;
  remaining?: number;
}

/** Everything that one idempotency key was told. */
export interface Attempt {
  key: string;
  buyer: string;
  items: { itemId: string; quantity: number }[];
  exchanges: Exchange[];
}

/** What the buyer of a reservation saw and did after the 202. */
export interface Purchase {
  rid: string;
  key: string;
  buyer: string;
  items: { itemId: string; quantity: number }[];
  /** Each version that was shown, in the order of showing. */
  shown: Pick<View.ReservationView, 'version' | 'state' | 'reason' | 'terminal'>[];
  /** `unanswered`: the opening had no answer. At the provider: `clicked` = sent, answer unknown. `captured`: it took the click for a capture. */
  payment: 'none' | 'unanswered' | 'opened' | 'clicked' | 'captured' | 'declined' | 'turned-away';
  /** The platform took the buyer's cancellation. */
  cancelled: boolean;
  /** Answers 404 for a reservation that exists. */
  missing: number;
}

/** Where a key ended: a 202 is for ever; otherwise its last lasting answer counts, unless a request after it went unanswered. */
export type Outcome = { word: 'accepted'; rid: string } | { word: 'refused'; code: string } | { word: 'unknown'; rid: string | null };

/** Answers that say nothing about the key: the request that they answer holds nothing, but an earlier one might. */
const passing = new Set(['OVERLOADED', 'UNAVAILABLE', 'RATE_LIMITED', 'SALE_NOT_OPEN']);
export const isUncertain = (exchange: Exchange): boolean =>
  exchange.word === 'OUTCOME_UNKNOWN' || exchange.word === 'INTERNAL' || exchange.word.startsWith('HTTP_5') || (exchange.word === 'LOST' && exchange.reached === 'maybe');
export const isRefusal = (exchange: Exchange): boolean =>
  exchange.word !== 'ACCEPTED' && exchange.word !== 'LOST' && !passing.has(exchange.word) && !isUncertain(exchange);

/** Reads the outcome from what the key was told. */
export function outcomeOf(attempt: Attempt): Outcome {
  const accepted = attempt.exchanges.find((exchange) => exchange.word === 'ACCEPTED');
  if (accepted?.rid !== undefined) return { word: 'accepted', rid: accepted.rid };
  const doubt = lastWhere(attempt, isUncertain);
  const refusal = lastWhere(attempt, isRefusal);
  // A refusal settles the doubts about requests sent before it: had one of them held, this would have been its replay.
  if (doubt && (!refusal || refusal.sentAtMs < doubt.answeredAtMs)) {
    return { word: 'unknown', rid: attempt.exchanges.findLast((exchange) => exchange.rid !== undefined)?.rid ?? null };
  }
  const word = (refusal ?? attempt.exchanges.at(-1))?.word ?? 'LOST';
  return { word: 'refused', code: word === 'LOST' ? 'UNREACHABLE' : word };
}

/** Writes the history as NDJSON: one line per key, then one per purchase. */
export async function writeHistory(file: string, attempts: Iterable<Attempt>, purchases: Iterable<Purchase>): Promise<void> {
  const out = createWriteStream(file);
  for (const attempt of attempts) out.write(`${JSON.stringify({ record: 'attempt', ...attempt })}\n`);
  for (const purchase of purchases) out.write(`${JSON.stringify({ record: 'purchase', ...purchase })}\n`);
  out.end();
  await finished(out);
}

function lastWhere(attempt: Attempt, test: (exchange: Exchange) => boolean): Exchange | undefined {
  return attempt.exchanges.filter(test).toSorted((a, b) => a.sentAtMs - b.sentAtMs).at(-1);
}
