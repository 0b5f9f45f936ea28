import { Keyring } from './keyring.js';
import { Recent } from './recent.js';
import { readPart, writePart } from './signature.js';

export type EntryTokenWord = 'valid' | 'early' | 'expired' | 'forged';

/** Long enough to press again a few times, short enough that tokens cannot be traded. */
export const entryTokenLifeMs = 120_000;
/** Two gateways' estimates of Redis's clock differ by this at most; whether a sale is open is for Redis itself to say. */
const leewayMs = 1_000;
const prefix = 'et2';
const tokensMax = 20_000;

export interface Entry {
  saleId: string;
  accountId: string;
  /** By the platform's clock, epoch milliseconds: the opening. */
  notBeforeMs: number;
  expiresMs: number;
}

/**
 * Entry tokens say "this account may try in this sale from then to then", never "there is stock". `et2.<key>.<payload>.<HMAC>`; nothing is
 * stored, so every gateway can check what another one issued, and a replay gives nobody anything new.
 */
export class EntryTokens {
  private readonly keys: Keyring;
  private readonly genuine = new Recent<Entry>(tokensMax);

  /** @param secrets the first signs, each is believed */
  constructor(secrets: readonly string[]) {
    this.keys = new Keyring(secrets, 'entry token');
  }

  issue({ saleId, accountId, notBeforeMs, expiresMs }: Entry): string {
    const text = `${prefix}.${this.keys.currentId}.${writePart([saleId, accountId, notBeforeMs, expiresMs])}`;
    return `${text}.${this.keys.sign(text)}`;
  }

  /** A token of another account or sale counts as forged: only its own expired one may still reach a replay. */
  check(token: string, saleId: string, accountId: string, nowMs: number): EntryTokenWord {
    const entry = this.genuine.get(token) ?? this.read(token);
    if (!entry || entry.saleId !== saleId || entry.accountId !== accountId) return 'forged';
    if (nowMs < entry.notBeforeMs - leewayMs) return 'early';
    return nowMs < entry.expiresMs ? 'valid' : 'expired';
  }

  private read(token: string): Entry | null {
    const [head, keyId, payload, signature, ...rest] = token.split('.');
    if (head !== prefix || keyId === undefined || payload === undefined || signature === undefined || rest.length > 0 || token.length > 1_024) return null;
    // The signature is over the encoded text: of all spellings of the same bytes only ours is signed.
    if (!this.keys.hasSigned(keyId, `${head}.${keyId}.${payload}`, signature)) return null;
    const [saleId, accountId, notBeforeMs, expiresMs] = readPart(payload) as [string, string, number, number];
    const entry = { saleId, accountId, notBeforeMs, expiresMs };
    this.genuine.set(token, entry);
    return entry;
  }
}
