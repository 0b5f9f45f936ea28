import { createHash } from 'node:crypto';
import type { Entry } from '../ledger/entries.js';

/** One ledger entry at its place in its sale. */
export interface NumberedEntry {
  /** 1 for the sale's first entry. */
  number: number;
  lane: number;
  operationId: string;
  itemId: string;
  entry: Entry;
  quantity: number;
  freeAfter: number;
  at: Date;
}

/** What stands before the first entry of a sale, so that no sale's chain can be passed off as another's. */
export const genesisHash = (saleId: string): string => sha256(`floodgate ledger 1 ${saleId}`);

/**
 * The entry's hash over the one before it and the entry's canonical form: its members as a JSON array in this order, without white space, the time as
 * RFC 3339 in UTC with milliseconds. tools/verify.mjs computes the same from an export; whoever changes it here changes what every certificate says.
 */
export const entryHash = (previous: string, { number, lane, operationId, itemId, entry, quantity, freeAfter, at }: NumberedEntry): string =>
  sha256(`${previous}\n${JSON.stringify([number, lane, operationId, itemId, entry, quantity, freeAfter, at.toISOString()])}`);

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
