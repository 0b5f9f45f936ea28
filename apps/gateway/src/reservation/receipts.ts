import type { KeyObject } from 'node:crypto';
import { sign, signingKey, writePart } from '../admission/signature.js';

export interface Admitted {
  rid: string;
  accountId: string;
  /** As packItems writes them. */
  items: string;
  number: number;
  reservedAtMs: number;
}

/** What a buyer can show later: `rc1.<payload>.<HMAC>`, the same for every replay. */
export class Receipts {
  private readonly key: KeyObject;

  constructor(secret: string) {
    this.key = signingKey(secret);
  }

  write({ rid, accountId, items, number, reservedAtMs }: Admitted): string {
    const text = `rc1.${writePart([rid, accountId, items, number, reservedAtMs])}`;
    return `${text}.${sign(text, this.key)}`;
  }
}
