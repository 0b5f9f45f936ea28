import { describe, expect, it } from '@jest/globals';
import { configSchema, providerSettings } from './config.js';

const base = { INTERNAL_PORT: '1', AMQP_URL: 'amqp://x', DATABASE_URL: 'postgres://x', CODE_KEYS: `a:${'k'.repeat(16)}`, CODE_FINGERPRINT_KEY: 'f'.repeat(16) };
const sandbox = { SANDBOX_URL: 'http://sandbox', SANDBOX_API_KEY: 'k'.repeat(16), SANDBOX_WEBHOOK_SECRET: 's'.repeat(16), CALLBACK_URL: 'http://gateway' };
const stripe = { STRIPE_SECRET_KEY: 'sk_test_0123456789', STRIPE_WEBHOOK_SECRET: 'whsec_0123456789', STRIPE_RETURN_URL: 'https://shop.example/' };
const providersOf = (env: object) => Object.entries(providerSettings(configSchema.parse({ ...base, ...env }))).flatMap(([name, settings]) => (settings ? [name] : []));

describe('payment providers in the configuration', () => {
  it.each([[sandbox, ['sandbox']], [stripe, ['stripe']], [{ ...sandbox, ...stripe }, ['sandbox', 'stripe']]])('are those whose variables are there', (env, names) => {
    expect(providersOf(env)).toEqual(names);
  });

  it('speak to Stripe itself unless told otherwise', () => {
    expect(providerSettings(configSchema.parse({ ...base, ...stripe })).stripe?.apiUrl).toBe('https://api.stripe.com');
  });

  it.each([['SANDBOX_API_KEY', sandbox], ['CALLBACK_URL', sandbox], ['STRIPE_SECRET_KEY', stripe], ['STRIPE_WEBHOOK_SECRET', stripe], ['STRIPE_RETURN_URL', stripe]])('are not there by halves: without %s the process does not start', (name, group) => {
    const result = configSchema.safeParse({ ...base, ...group, [name]: undefined });
    expect(result.error?.issues.map((issue) => issue.path.join('.'))).toEqual([name]);
  });

  it('are not none', () => {
    expect(configSchema.safeParse(base).error?.issues).toHaveLength(1);
  });
});
