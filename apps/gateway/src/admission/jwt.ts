import type { KeyObject } from 'node:crypto';
import { idSchema, type Actor } from '@floodgate/contracts';
import { Recent } from './recent.js';
import { isSignedBy, readPart, sign, signingKey, writePart } from './signature.js';

/** Clocks of issuer and gateway may differ by this much. */
const leewayMs = 5_000;
/** About 10 MB of tokens; a sale's buyers come back with the same token many times within seconds. */
const tokensMax = 20_000;
/** Longer than any token we issue; what is longer is not worth hashing. */
const tokenCharactersMax = 4_096;

interface Verified {
  actor: Actor;
  notBeforeMs: number;
  expiresMs: number;
}

/**
 * Verifies bearer tokens by hand: one algorithm (HS256) means none to confuse, and it costs an eighth of a general library, which would
 * be more than the whole request. `jku`, `kid` and other hints of the header are never followed.
 */
export class JwtVerifier {
  private readonly key: KeyObject;
  private readonly verified = new Recent<Verified>(tokensMax);

  constructor(secret: string) {
    this.key = signingKey(secret);
  }

  /** Who the token stands for at this time, or null where anything is wrong with it. @param nowMs epoch milliseconds */
  verify(token: string, nowMs: number): Actor | null {
    const known = this.verified.get(token);
    const verified = known ?? this.read(token);
    if (!verified) return null;
    if (!known) this.verified.set(token, verified);
    return nowMs < verified.expiresMs + leewayMs && nowMs >= verified.notBeforeMs - leewayMs ? verified.actor : null;
  }

  private read(token: string): Verified | null {
    if (token.length > tokenCharactersMax) return null;
    const [header, payload, signature, ...rest] = token.split('.');
    if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return null;
    if (!isPlainHs256(readPart(header)) || !isSignedBy(this.key, `${header}.${payload}`, signature)) return null;
    return readClaims(readPart(payload));
  }
}

/** A token as the development login issues it. @param expiresMs epoch milliseconds, whole seconds are kept */
export function issueJwt(secret: string, actor: Actor, nowMs: number, expiresMs: number): string {
  const claims = { sub: actor.accountId, roles: actor.roles, iat: Math.floor(nowMs / 1_000), exp: Math.floor(expiresMs / 1_000) };
  const text = `${writePart({ alg: 'HS256', typ: 'JWT' })}.${writePart(claims)}`;
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

function isPlainHs256(header: unknown): boolean {
  // `crit` names extensions that must be understood, and none is.
  return isRecord(header) && header['alg'] === 'HS256' && !('crit' in header);
}

function readClaims(claims: unknown): Verified | null {
  if (!isRecord(claims)) return null;
  const { sub, roles, exp, nbf } = claims;
  if (!idSchema.safeParse(sub).success || !isSeconds(exp) || (nbf !== undefined && !isSeconds(nbf))) return null;
  if (!Array.isArray(roles) || !roles.every((role): role is string => typeof role === 'string')) return null;
  return { actor: { accountId: sub as string, roles }, notBeforeMs: nbf === undefined ? 0 : nbf * 1_000, expiresMs: exp * 1_000 };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isSeconds = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
