import type { KeyObject } from 'node:crypto';
import type { Actor } from '@floodgate/contracts';
import { claimsReader, isRecord, type TokenRules, type Verified } from './jwt-claims.js';
import type { KeySet } from './key-set.js';
import { Recent } from './recent.js';
import { isSignedBy, readPart, sign, signingKey, writePart } from './signature.js';

/** Clocks of issuer and gateway may differ by this much. */
const leewayMs = 5_000;
/** About 10 MB of tokens; a sale's buyers come back with the same token many times within seconds. */
const tokensMax = 20_000;
/** Longer than any token we issue; what is longer is not worth hashing. */
const tokenCharactersMax = 4_096;

/** Who calls; null where anything is wrong with the token; `unavailable` where nobody can know, because the keys cannot be fetched. */
export type Identity = Actor | null | 'unavailable';

export interface JwtKeys {
  /** HS256: two while the secret is changed. */
  secrets: readonly string[];
  /** RS256, ES256 and EdDSA. */
  keySet?: KeySet | undefined;
  rules?: TokenRules;
}

interface Remembered extends Verified {
  /** The edition of the key set that signed it; null for HS256, whose keys live as long as the process. */
  edition: number | null;
}

/**
 * Verifies bearer tokens. HS256 by hand, at once: it costs an eighth of a general library, which would be more than the whole request. The
 * other algorithms by the key set, once per token. Each algorithm has its own keys, so none can be passed off as another's; `jku`, `jwk`,
 * `x5u` and other hints of the header are never followed.
 */
export class JwtVerifier {
  private readonly secrets: readonly KeyObject[];
  private readonly keySet: KeySet | undefined;
  private readonly type: string | undefined;
  private readonly readClaims: (claims: unknown) => Verified | null;
  private readonly remembered = new Recent<Remembered>(tokensMax);

  constructor({ secrets, keySet, rules = {} }: JwtKeys) {
    this.secrets = secrets.map(signingKey);
    this.keySet = keySet;
    this.type = rules.type === undefined ? undefined : mediaType(rules.type);
    this.readClaims = claimsReader(rules);
  }

  /** Who the token stands for at this time; a promise only for a token of the key set that is new here. @param nowMs epoch milliseconds */
  verify(token: string, nowMs: number): Identity | Promise<Identity> {
    const known = this.remembered.get(token);
    // A key that its owner has withdrawn must not live on in here.
    if (known && (known.edition === null || known.edition === this.keySet?.edition)) return standing(known, nowMs);
    if (token.length > tokenCharactersMax) return null;
    const [header, payload, signature, ...rest] = token.split('.');
    if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return null;
    const head = readPart(header);
    if (!isRecord(head) || !this.isAcceptable(head)) return null;
    if (head['alg'] !== 'HS256') return this.keySet?.isFor(head['alg']) ? this.verifyByKeySet(this.keySet, token, nowMs) : null;
    if (!this.secrets.some((key) => isSignedBy(key, `${header}.${payload}`, signature))) return null;
    return this.accept(token, this.readClaims(readPart(payload)), null, nowMs);
  }

  private async verifyByKeySet(keySet: KeySet, token: string, nowMs: number): Promise<Identity> {
    const signed = await keySet.verify(token);
    return signed === null || signed === 'unavailable' ? signed : this.accept(token, this.readClaims(signed.claims), signed.edition, nowMs);
  }

  private accept(token: string, verified: Verified | null, edition: number | null, nowMs: number): Actor | null {
    if (!verified) return null;
    this.remembered.set(token, { ...verified, edition });
    return standing(verified, nowMs);
  }

  /** `crit` names extensions that must be understood, and none is. */
  private isAcceptable(head: Record<string, unknown>): boolean {
    return !('crit' in head) && (this.type === undefined || (typeof head['typ'] === 'string' && mediaType(head['typ']) === this.type));
  }
}

const standing = ({ actor, notBeforeMs, expiresMs }: Verified, nowMs: number): Actor | null =>
  nowMs < expiresMs + leewayMs && nowMs >= notBeforeMs - leewayMs ? actor : null;

/** `at+jwt` is the short form of `application/at+jwt`, in any case. */
const mediaType = (type: string): string => type.toLowerCase().replace(/^application\//, '');

/** A token as the development login issues it. @param expiresMs epoch milliseconds, whole seconds are kept */
export function issueJwt(secret: string, actor: Actor, nowMs: number, expiresMs: number, rules: TokenRules = {}): string {
  const { issuer, audience, type = 'JWT' } = rules;
  const claims = { sub: actor.accountId, roles: actor.roles, iss: issuer, aud: audience, iat: Math.floor(nowMs / 1_000), exp: Math.floor(expiresMs / 1_000) };
  const text = `${writePart({ alg: 'HS256', typ: type })}.${writePart(claims)}`;
  return `${text}.${sign(text, signingKey(secret))}`;
}

/** The account that a token claims to be for. Never proof of anything: it only decides whether an early refusal is withheld. */
export function claimedAccount(token: string): string | null {
  const payload = token.length <= tokenCharactersMax ? token.split('.', 2)[1] : undefined;
  const claims = payload === undefined ? undefined : readPart(payload);
  return isRecord(claims) && typeof claims['sub'] === 'string' ? claims['sub'] : null;
}

/** The token of an `Authorization` header (the scheme in any case), or null. */
export function bearerToken(header: string | undefined): string | null {
  return header === undefined ? null : /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1] ?? null;
}
