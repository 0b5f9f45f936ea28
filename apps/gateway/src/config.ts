import { commonConfig, loadConfig } from '@floodgate/platform';
import { z } from 'zod';

const secret = z.string().min(16, 'must have at least 16 characters');

export const configSchema = z.object({
  ...commonConfig,
  /** The public port; 0 takes a free one. */
  PORT: z.coerce.number().int().min(0).max(65535),
  AMQP_URL: z.url({ protocol: /^amqps?$/ }),
  JWT_SECRET: secret,
  ENTRY_TOKEN_SECRET: secret,
  RECEIPT_SECRET: secret,
  /** Anybody may log in as anybody: never in production. */
  DEV_LOGIN: z.enum(['true', 'false']).default('false').transform((value) => value === 'true'),
  /** Addresses and CIDR blocks, comma-separated, of the proxies whose X-Forwarded-For is believed. Development: loopback. */
  TRUSTED_PROXIES: z.string().optional(),
}).transform(({ TRUSTED_PROXIES, ...config }) => ({
  ...config,
  TRUSTED_PROXIES: (TRUSTED_PROXIES ?? (config.NODE_ENV === 'production' ? '' : '127.0.0.0/8,::1')).split(',').map((entry) => entry.trim()).filter((entry) => entry !== ''),
}));

export type GatewayConfig = z.infer<typeof configSchema>;
/** Injection token of the process's configuration. */
export const GATEWAY_CONFIG = Symbol('gateway config');

export const readConfig = (): GatewayConfig => loadConfig(configSchema as z.ZodType<GatewayConfig>);
