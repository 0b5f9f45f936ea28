import { commonConfig, loadConfig, secret, secretPair } from '@floodgate/platform';
import { z } from 'zod';
import type { TokenRules } from './admission/jwt-claims.js';

/** Entries of a comma-separated list. */
const list = z.string().transform((text) => text.split(',').map((entry) => entry.trim()).filter((entry) => entry !== ''));
/** Proxies of a developer's machine. */
const loopback = ['127.0.0.0/8', '::1'];

export const configSchema = z.object({
  ...commonConfig,
  /** The public port; 0 takes a free one. */
  PORT: z.coerce.number().int().min(0).max(65535),
  AMQP_URL: z.url({ protocol: /^amqps?$/ }),
  /** HS256 keys of bearer tokens, one or two. */
  JWT_SECRET: secretPair.optional(),
  /** Where the identity provider publishes its RS256, ES256 and EdDSA keys. */
  JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** What `iss`, `aud` and the header's `typ` must be; not checked where absent. */
  JWT_ISSUER: z.string().min(1).optional(),
  JWT_AUDIENCE: z.string().min(1).optional(),
  JWT_TYPE: z.string().min(1).optional(),
  /** Keys of entry tokens and of challenges, one or two. */
  ENTRY_TOKEN_SECRET: secretPair,
  RECEIPT_SECRET: secret,
  /** Anybody may log in as anybody: never in production. */
  DEV_LOGIN: z.enum(['true', 'false']).default('false').transform((value) => value === 'true'),
  /** Addresses and CIDR blocks of the proxies whose X-Forwarded-For is believed. Development: loopback. */
  TRUSTED_PROXIES: list.optional(),
  /** Origins whose pages may call this API from a browser; none where absent. */
  CORS_ORIGINS: list.pipe(z.array(z.string().regex(/^https?:\/\/[^/?#\s*]+$/, 'must be origins such as https://shop.example'))).default([]),
}).superRefine((config, context) => {
  const refuse = (name: string, message: string): void => { context.addIssue({ code: 'custom', path: [name], message }); };
  if (!config.JWT_SECRET && !config.JWKS_URL) refuse('JWT_SECRET', 'JWT_SECRET or JWKS_URL is needed, or nobody could log in');
  if (config.DEV_LOGIN && !config.JWT_SECRET) refuse('DEV_LOGIN', 'needs a JWT_SECRET to sign with');
  if (config.NODE_ENV !== 'production') return;
  if (config.DEV_LOGIN) refuse('DEV_LOGIN', 'lets anybody be anybody: not in production');
  if (config.JWKS_URL?.startsWith('http:')) refuse('JWKS_URL', 'must be https in production');
}).transform(({ TRUSTED_PROXIES, JWT_SECRET, ...config }) => ({
  ...config,
  JWT_SECRET: JWT_SECRET ?? [],
  TRUSTED_PROXIES: TRUSTED_PROXIES ?? (config.NODE_ENV === 'production' ? [] : loopback),
}));

export type GatewayConfig = z.infer<typeof configSchema>;
/** Injection token of the process's configuration. */
export const GATEWAY_CONFIG = Symbol('gateway config');

export const readConfig = (): GatewayConfig => loadConfig(configSchema as z.ZodType<GatewayConfig>);

/** What a bearer token must say besides who it is for. */
export const tokenRules = ({ JWT_ISSUER, JWT_AUDIENCE, JWT_TYPE }: GatewayConfig): TokenRules => ({ issuer: JWT_ISSUER, audience: JWT_AUDIENCE, type: JWT_TYPE });
