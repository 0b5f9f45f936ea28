import { commonConfig, loadConfig, secret, secretPair } from '@floodgate/platform';
import { z } from 'zod';
import type { ProviderSettings } from './payment-provider/payment-provider.module.js';
import type { WarehouseSettings } from './warehouse/warehouse.client.js';

/** Payment providers. Each group of variables stands whole or not at all; without it there is no such provider. */
const providerConfig = {
  /** The sandbox payment provider, what it and we share, and where it sends its notices: the gateway's public address of them. */
  SANDBOX_URL: z.url().optional(),
  SANDBOX_API_KEY: secret.optional(),
  SANDBOX_WEBHOOK_SECRET: secretPair.optional(),
  CALLBACK_URL: z.url().optional(),
  /** Stripe: its secret key, the signing secret of the webhook endpoint (the gateway's `/v1/payments/callbacks/stripe`), where buyers go back to, and its API. */
  STRIPE_SECRET_KEY: secret.optional(),
  STRIPE_WEBHOOK_SECRET: secret.optional(),
  STRIPE_RETURN_URL: z.url().optional(),
  STRIPE_API_URL: z.url().default('https://api.stripe.com'),
};
export type ProviderConfig = { [K in keyof typeof providerConfig]?: z.infer<(typeof providerConfig)[K]> };

const groups: Record<string, readonly (keyof ProviderConfig)[]> = {
  sandbox: ['SANDBOX_URL', 'SANDBOX_API_KEY', 'SANDBOX_WEBHOOK_SECRET', 'CALLBACK_URL'],
  stripe: ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET', 'STRIPE_RETURN_URL'],
};

/** The system that has the real stock, where our own table does not. It is asked for blocks of units under ids that make repetition harmless. */
const warehouseConfig = {
  INVENTORY_URL: z.url().optional(),
  /** Key of the signature on what we ask. */
  INVENTORY_SECRET: z.string().min(16).optional(),
  INVENTORY_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(5_000),
};
export type WarehouseConfig = { [K in keyof typeof warehouseConfig]?: z.infer<(typeof warehouseConfig)[K]> };

/** Keys of redemption codes at rest. */
const codeConfig = {
  /** `id:secret` with commas between: the first seals, all open. A key stays until no code needs it. */
  CODE_KEYS: z.string().regex(/^[\w-]{1,20}:[^,:]{16,}(?:,[\w-]{1,20}:[^,:]{16,})*$/, 'must be id:secret (16 characters or more), with commas between')
    .transform((keys) => keys.split(',').map((key) => ({ id: key.split(':')[0]!, secret: key.split(':')[1]! }))),
  /** By this one code is known from another. It never changes. */
  CODE_FINGERPRINT_KEY: z.string().min(16),
};

export const configSchema = z.object({ ...commonConfig, AMQP_URL: z.url(), DATABASE_URL: z.url(), ...codeConfig, ...warehouseConfig, ...providerConfig }).superRefine((config, context) => {
  const given = Object.values(groups).map((group) => group.filter((name) => config[name] !== undefined));
  Object.entries(groups).forEach(([provider, group], index) => {
    if (given[index]!.length === 0) return;
    for (const name of group) if (config[name] === undefined) context.addIssue({ code: 'custom', path: [name], message: `needed for the payment provider ${provider}` });
  });
  if ((config.INVENTORY_URL === undefined) !== (config.INVENTORY_SECRET === undefined)) {
    context.addIssue({ code: 'custom', path: [config.INVENTORY_URL ? 'INVENTORY_SECRET' : 'INVENTORY_URL'], message: 'needed for the warehouse outside' });
  }
  if (given.every((group) => group.length === 0)) context.addIssue({ code: 'custom', path: [], message: `no payment provider is configured: ${Object.keys(groups).join(' or ')}` });
});
export type Config = z.infer<typeof configSchema>;

export const readConfig = (): Config => loadConfig(configSchema);

/** The providers that a configuration names. */
export function providerSettings(config: ProviderConfig): ProviderSettings {
  const { SANDBOX_URL: url, SANDBOX_API_KEY: apiKey, SANDBOX_WEBHOOK_SECRET: webhookSecrets, CALLBACK_URL: callbackUrl } = config;
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: stripeWebhook, STRIPE_RETURN_URL: returnUrl, STRIPE_API_URL: apiUrl } = config;
  return {
    sandbox: url && apiKey && webhookSecrets && callbackUrl ? { url, apiKey, webhookSecrets, callbackUrl } : null,
    stripe: secretKey && stripeWebhook && returnUrl && apiUrl ? { secretKey, webhookSecret: stripeWebhook, returnUrl, apiUrl } : null,
  };
}

/** The warehouse that a configuration names; null: our own table. */
export function warehouseSettings(config: WarehouseConfig): WarehouseSettings | null {
  const { INVENTORY_URL: url, INVENTORY_SECRET: secret, INVENTORY_TIMEOUT_MS: timeoutMs = 5_000 } = config;
  return url !== undefined && secret !== undefined ? { url, secret, timeoutMs } : null;
}
