import { Logger } from '@nestjs/common';
import { errorText } from '@floodgate/platform';
import { compactVerify, createLocalJWKSet, errors, type CompactVerifyResult, type JSONWebKeySet } from 'jose';
import { isRecord } from './jwt-claims.js';

/** Never HS256: a public key would be its secret, and everybody has that. */
const algorithms: readonly unknown[] = ['RS256', 'ES256', 'EdDSA'];
/** A provider publishes a key before it signs with it, so most gateways know it by the first token; a withdrawn one lives no longer than this. */
const refreshMs = 60_000;
/** Anybody can invent key ids: whatever comes, the provider is not asked more often than this. */
const betweenFetchesMs = 1_000;
/** Requests that wait for the next fetch; beyond that somebody invents key ids, and the memory is ours. */
const waitingMax = 256;

export interface Signed {
  claims: unknown;
  /** Which edition of the keys it was signed with. */
  edition: number;
}

/**
 * The public keys of the identity provider. A token with a key id that is not known makes them be fetched again, once for all who wait.
 * While the provider is away the last known keys go on working; what they cannot judge is `unavailable`, not wrong.
 */
export class KeySet {
  private readonly logger = new Logger('KeySet');
  private keys: ReturnType<typeof createLocalJWKSet> | null = null;
  private text = '';
  private fetching: Promise<boolean> | null = null;
  private fetchedMs = -Infinity;
  private waiting = 0;
  private timer: NodeJS.Timeout | null = null;
  private failed = false;
  /** Rises with every change of the keys. */
  edition = 0;

  /** @param fetchText gets the provider's document; rejects while it is away */
  constructor(private readonly fetchText: () => Promise<string>) {}

  get isLoaded(): boolean {
    return this.keys !== null;
  }

  isFor(algorithm: unknown): boolean {
    return algorithms.includes(algorithm);
  }

  /** Fetches the keys now and from time to time. */
  start(): void {
    this.timer ??= setInterval(() => void this.fetchSoon(), refreshMs).unref();
    void this.fetchSoon();
  }

  stop(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** What the token says if one of the keys has signed it; null where none has. */
  async verify(token: string): Promise<Signed | null | 'unavailable'> {
    const verdict = await this.tryKeys(token);
    if (verdict !== 'unknown-key') return verdict;
    if (this.waiting >= waitingMax) return 'unavailable';
    this.waiting++;
    try {
      if (!(await this.fetchSoon())) return 'unavailable';
    } finally {
      this.waiting--;
    }
    const second = await this.tryKeys(token);
    return second === 'unknown-key' ? null : second;
  }

  private async tryKeys(token: string): Promise<Signed | null | 'unknown-key'> {
    const { keys, edition } = this;
    if (!keys) return 'unknown-key';
    try {
      return { claims: claimsOf(await compactVerify(token, keys, { algorithms: algorithms as string[] })), edition };
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return 'unknown-key';
      // A token need not name its key; jose hands over those that may fit.
      if (error instanceof errors.JWKSMultipleMatchingKeys) return this.tryEach(error, token, edition);
      return null;
    }
  }

  private async tryEach(candidates: errors.JWKSMultipleMatchingKeys, token: string, edition: number): Promise<Signed | null> {
    for await (const key of candidates) {
      const verified = await compactVerify(token, key, { algorithms: algorithms as string[] }).catch(() => null);
      if (verified) return { claims: claimsOf(verified), edition };
    }
    return null;
  }

  /** @returns whether the keys are fresh now; who asks while a fetch waits or runs shares it */
  private fetchSoon(): Promise<boolean> {
    this.fetching ??= this.fetchKeys().finally(() => { this.fetching = null; });
    return this.fetching;
  }

  private async fetchKeys(): Promise<boolean> {
    const waitMs = this.fetchedMs + betweenFetchesMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => { setTimeout(resolve, waitMs); });
    this.fetchedMs = performance.now();
    try {
      this.take(await this.fetchText());
      if (this.failed) this.logger.log('the keys can be fetched again');
      this.failed = false;
      return true;
    } catch (error) {
      // Once is news; the last known keys go on working.
      if (!this.failed) this.logger.warn(`the keys cannot be fetched: ${errorText(error)}`);
      this.failed = true;
      return false;
    }
  }

  private take(text: string): void {
    if (text === this.text) return;
    const document: unknown = JSON.parse(text);
    if (!isRecord(document) || !Array.isArray(document['keys'])) throw new Error('this is no key set');
    // Symmetric keys have no place in a public document, and whoever put one there must not be able to sign with it.
    const keys = document['keys'].filter((key) => isRecord(key) && key['kty'] !== 'oct') as JSONWebKeySet['keys'];
    this.keys = createLocalJWKSet({ keys });
    this.text = text;
    this.edition++;
  }
}

function claimsOf({ payload }: CompactVerifyResult): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as unknown;
  } catch {
    return undefined; // Signed, but no claims: the reader of claims refuses it.
  }
}
