import { afterEach, describe, expect, it } from '@jest/globals';
import { startGateway, testConfig, type Gateway } from './testing/gateway.fixture.js';
import { StandInClient } from './testing/stand-in.client.js';

let gateway: Gateway | undefined;
afterEach(() => gateway?.close());

const production = {
  NODE_ENV: 'production', DEV_LOGIN: 'false', JWT_SECRET: 'q7Hk2ZpX9vLw4NbT8sRd3YcMf6GjUa5E', ENTRY_TOKEN_SECRET: 'Wm4xTz8BqK1nVy6PcRj3HsLd9FgAe7Ui', RECEIPT_SECRET: 'Xn5yUa9CrL2oWz7QdSk4ItMe1GhBf8Vj',
};
const start = async (changes: Record<string, string> = {}) => {
  gateway = await startGateway(new StandInClient(), testConfig(changes));
  return gateway.app;
};
const shop = 'https://shop.example';

describe('a browser', () => {
  it.each(['/livez', '/nothing', '/v1/sales/%zz', `/v1/sales?x=${'x'.repeat(9_000)}`, '/docs', '/openapi.json', '/v1/me/orders'])('is told to run, frame and guess nothing of %.30s', async (url) => {
    const { headers } = await (await start()).inject(url);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' });
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'.*frame-ancestors 'none'/);
    expect(headers['strict-transport-security']).toBeUndefined();
  });

  it('stays with TLS in production', async () => {
    expect((await (await start(production)).inject('/livez')).headers['strict-transport-security']).toBe('max-age=31536000');
  });

  it.each(['null', 'https://evil.example', 'http://localhost', ''])('does not get an answer for a page of origin %j, unless that is configured', async (origin) => {
    for (const changes of [{}, { CORS_ORIGINS: shop }]) {
      const app = await start(changes as Record<string, string>);
      const got = await app.inject({ url: '/v1/time', headers: { origin } });
      const preflight = await app.inject({ method: 'OPTIONS', url: '/v1/time', headers: { origin, 'access-control-request-method': 'GET' } });
      for (const { headers } of [got, preflight]) expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(preflight.statusCode).toBe(405);
      await app.close();
    }
  });

  it('gets one for a page of a configured origin, without cookies', async () => {
    const app = await start({ CORS_ORIGINS: `${shop}, https://other.example` });
    const got = await app.inject({ url: '/livez', headers: { origin: shop } });
    expect(got.headers).toMatchObject({ 'access-control-allow-origin': shop, 'access-control-expose-headers': expect.stringContaining('idempotency-replayed'), vary: 'origin' });
    expect(got.headers['access-control-allow-credentials']).toBeUndefined();
    const preflight = await app.inject({ method: 'OPTIONS', url: '/v1/sales/x/reservations', headers: { origin: shop, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } });
    expect([preflight.statusCode, preflight.body]).toEqual([204, '']);
    expect(preflight.headers).toMatchObject({ 'access-control-allow-origin': shop, 'access-control-allow-headers': expect.stringContaining('idempotency-key'), 'access-control-allow-methods': expect.stringContaining('POST') });
  });

  it.each(['*', 'https://*.example', 'https://shop.example/', 'shop.example', 'null'])('cannot be let in by the configuration %j', (origins) => {
    expect(() => testConfig({ CORS_ORIGINS: origins })).toThrow();
  });
});

describe('the configuration', () => {
  it.each<[string, Record<string, string>]>([
    ['a login for everybody in production', { ...production, DEV_LOGIN: 'true' }],
    ['keys in the clear in production', { ...production, JWKS_URL: 'http://id.example/keys' }],
    ['a login without a secret', { JWT_SECRET: '', JWKS_URL: 'http://id.example/keys' }],
    ['three secrets', { JWT_SECRET: 'aaaaaaaaaaaaaaaa,bbbbbbbbbbbbbbbb,cccccccccccccccc' }],
  ])('refuses %s', (_, changes) => {
    expect(() => testConfig(changes)).toThrow();
  });

  it('needs some key of bearer tokens', () => {
    const { JWT_SECRET: _none, ...others } = { ...production, INTERNAL_PORT: '0', PORT: '0', AMQP_URL: 'amqp://nowhere' };
    const parse = (env: Record<string, string>) => testConfig({ ...env, JWT_SECRET: undefined as never });
    expect(() => parse(others)).toThrow(/JWT_SECRET or JWKS_URL/);
    expect(parse({ ...others, JWKS_URL: 'https://id.example/keys' }).JWT_SECRET).toEqual([]);
  });

  it('trusts no proxy in production by itself', () => {
    expect([testConfig(production).TRUSTED_PROXIES, testConfig().TRUSTED_PROXIES]).toEqual([[], ['127.0.0.0/8', '::1']]);
  });
});
