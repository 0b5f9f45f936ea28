import type { AttemptResult } from '@floodgate/contracts';
import type { AttemptWord } from '../stock/stock.store.js';

const plain = new Map<string, AttemptResult>(
  (['key-reused', 'not-open', 'paused', 'ended', 'gated'] as const).map((word) => [word, Object.freeze({ word })]));

export const unavailable: AttemptResult = Object.freeze({ word: 'unavailable' });
export const outcomeUnknown: AttemptResult = Object.freeze({ word: 'outcome-unknown' });

export interface Decided {
  result: AttemptResult;
  /** The reservation's message must be confirmed before the result may be told; '' stands for the attempt's own address hash. */
  unconfirmed?: { ipHash: string };
}

/**
 * One attempt as the script decided it: `word|detail|...`.
 * @throws Error on a word the script does not know
 */
export function readAttempt(text: string): Decided {
  const same = plain.get(text);
  if (same) return { result: same };
  const [word, a = '', b = '', c = '', d = ''] = text.split('|') as [AttemptWord, ...string[]];
  switch (word) {
    case 'reserved': return { result: { word, number: Number(a), reservedAtMs: Number(b) }, unconfirmed: { ipHash: '' } };
    case 'replayed': return { result: { word, number: Number(a), reservedAtMs: Number(b) }, ...(c === '1' ? { unconfirmed: { ipHash: d } } : {}) };
    case 'item-not-found': return { result: { word, itemId: a } };
    case 'limit-reached': return { result: { word, scope: a as 'item' | 'sale' | 'ip', limit: Number(b) } };
    case 'sold-out': return { result: { word, itemId: a, remaining: Number(b), mayReturn: c === '1' } };
    // The gateway checks the form before; whoever sends this holds nothing.
    case 'malformed': return { result: unavailable };
    default: throw new Error(`the reserve script said: ${text}`);
  }
}
