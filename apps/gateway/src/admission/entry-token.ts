import type { KeyObject } from 'node:crypto';
import { Recent } from './recent.js';
import { isSignedBy, readPart, sign, signingKey, writePart } from './signature.js';

export type EntryTokenWord = 'valid' | 'expired' | 'forged';

/** Long enough to press again a few times, short enough that tokens cannot be traded. */
export const entryTokenLifeMs = 120_000;
const prefix = 'et1';
const tokensMax = 20_000;

interface Entry {
  saleId: string;
  accountId: string;
  expiresMs: number;
}

/**
 * Entry tokens say "this account may try in this sale until then", never "there is stock". `et1.<payload>.<HMAC>`; nothing is stored, so
 * every gateway can check what another one issued.
 */
export class EntryTokens {
  private readonly key: KeyObject;
  private readonly genuine = new Recent<Entry>(tokensMax);

  constructor(secret: string) {
    this.key = signingKey(secret);
  }

  /** @param expiresMs by the platform's clock, epoch milliseconds */
  issue(saleId: string, accountId: string, expiresMs: number): string {
    const text = `${prefix}.${writePart([saleId, accountId, expiresMs])}`;
    return `${text}.${sign(text, this.key)}`;
  }

  /** A token of another account or sale counts as forged: only its own expired one may still reach a replay. */
  check(token: string, saleId: string, accountId: string, nowMs: number): EntryTokenWord {
    const entry = this.genuine.get(token) ?? this.read(token);
    if (!entry || entry.saleId !== saleId || entry.accountId !== accountId) return 'forged';
    return nowMs < entry.expiresMs ? 'valid' : 'expired';
  }

  private read(token: string): Entry | null {
    const [head, payload, signature, ...rest] = token.split('.');
    if (head !== prefix || payload === undefined || signature === undefined || rest.length > 0 || token.length > 1_024) return null;
    if (!isSignedBy(this.key, `${head}.${payload}`, signature)) return null;
    const [saleId, accountId, expiresMs] = readPart(payload) as [string, string, number];
    const entry = { saleId, accountId, expiresMs };
    this.genuine.set(token, entry);
    return entry;
  }
}
