import { idSchema, type Actor } from '@floodgate/contracts';

/** What a token must say of itself besides who it is for; each is checked only where it is given. */
export interface TokenRules {
  issuer?: string | undefined;
  /** Must be among the token's audiences. */
  audience?: string | undefined;
  /** The header's `typ`: an ID or refresh token is not an access token. */
  type?: string | undefined;
}

export interface Verified {
  actor: Actor;
  notBeforeMs: number;
  expiresMs: number;
}

/** Reads the claims of a token whose signature is good; null where one is missing, malformed or not as configured. */
export function claimsReader({ issuer, audience }: TokenRules): (claims: unknown) => Verified | null {
  return (claims) => {
    if (!isRecord(claims)) return null;
    const { sub, roles, exp, nbf, iss, aud } = claims;
    if (issuer !== undefined && iss !== issuer) return null;
    if (audience !== undefined && aud !== audience && !(Array.isArray(aud) && aud.includes(audience))) return null;
    if (!idSchema.safeParse(sub).success || !isSeconds(exp) || (nbf !== undefined && !isSeconds(nbf))) return null;
    if (!Array.isArray(roles) || !roles.every((role): role is string => typeof role === 'string')) return null;
    return { actor: { accountId: sub as string, roles }, notBeforeMs: nbf === undefined ? 0 : nbf * 1_000, expiresMs: exp * 1_000 };
  };
}

export const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isSeconds = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
