import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppProcess, freePort } from '@floodgate/platform/testing';
import { Redis } from 'ioredis';
import { SignJWT, exportJWK, generateKeyPair, type JWK } from 'jose';
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, escapeIdentifier } from 'pg';
import { Api, signToken } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';
import { Traffic } from '../support/traffic.js';

const draw = () => randomBytes(24).toString('base64url');
const [oldJwt, newJwt, oldEntry, newEntry, oldHook, newHook, oldApi, newApi] = [draw(), draw(), draw(), draw(), draw(), draw(), draw(), draw()] as const;

/** Both gateways are stopped and started, on a machine that may be busy. */
const rollMs = 600_000;

describe('promise: every key can be changed while a sale runs, and no honest buyer is refused', () => {
  const provider = { keys: [] as JWK[], server: null as Server | null, url: '' };
  const order: Record<string, string> = { SANDBOX_WEBHOOK_SECRET: oldHook, SANDBOX_API_KEY: oldApi };
  const sandbox: Record<string, string> = { SANDBOX_WEBHOOK_SECRET: oldHook, SANDBOX_API_KEY: oldApi };
  const environment = { gateway: {}, promotion: {}, seckill: {}, order, notification: {}, 'sandbox-payment': sandbox } as const satisfies Record<string, Record<string, string>>;
  const gateways: { process: AppProcess; api: Api }[] = [];
  let platform: Platform;
  let traffic: Traffic;
  let postgres: Client;
  let hurry: NodeJS.Timeout;

  beforeAll(async () => {
    provider.server = createServer((_request, response) => response.end(JSON.stringify({ keys: provider.keys })));
    await new Promise<void>((resolve) => { provider.server!.listen(0, '127.0.0.1', resolve); });
    provider.url = `http://127.0.0.1:${(provider.server.address() as AddressInfo).port}/keys`;
    // Read again at every start of the process.
    platform = await startPlatform({ privateServers: ['rabbitmq', 'postgres'], serviceEnv: async () => environment });
    postgres = new Client(platform.run.postgres.url);
    await postgres.connect();
    // What a provider that was stopped did not tell is asked for after half a minute: buyers would wait for that after each restart.
    hurry = setInterval(() => void postgres.query("UPDATE orders.payment SET next_ask_at = clock_timestamp() WHERE state = 'OPEN' AND created_at < clock_timestamp() - interval '2 seconds'").catch(() => undefined), 2_000);
    for (let n = 0; n < 2; n++) {
      const port = await freePort();
      const process = await AppProcess.start('gateway', {
        NODE_ENV: 'test', AMQP_URL: platform.run.rabbitmq.url, NAMESPACE: platform.namespace, PORT: String(port),
        JWT_SECRET: oldJwt, JWKS_URL: provider.url, ENTRY_TOKEN_SECRET: oldEntry, RECEIPT_SECRET: draw(),
      });
      gateways.push({ process, api: new Api({ gatewayUrl: `http://127.0.0.1:${port}`, jwtSecret: oldJwt }) });
    }
    const admin = new Api(platform.run);
    const sales = [await admin.armedSale([{ quota: 50_000 }]), await admin.armedSale([{ quota: 50_000 }], { challenge: 'proof-of-work' })];
    traffic = new Traffic(gateways.map(({ api }) => api), sales.map(({ id, items }) => ({ saleId: id, itemId: items[0]!.id })));
  });
  afterAll(async () => {
    await traffic?.stop();
    clearInterval(hurry);
    await postgres?.end();
    for (const { process } of gateways) await process.stop();
    await platform?.stop();
    provider.server?.closeAllConnections();
    await new Promise((resolve) => { provider.server?.close(resolve); });
  });

  /** One gateway after the other, as a deployment does; buyers go to the other one meanwhile. */
  async function expectNobodyRefusedWhileRolling(changes: Record<string, string>): Promise<void> {
    for (const { process } of gateways) {
      await process.kill('SIGTERM');
      await process.restart(changes);
      await traffic.expectTurnOver();
    }
  }

  async function expectNobodyRefusedAround(...names: (keyof typeof environment)[]): Promise<void> {
    await Promise.all(names.map(async (name) => {
      const pidNow = () => (name === 'sandbox-payment' ? platform.run.sandboxPayment.pid : platform.run.services.find((service) => service.name === name)!.pid);
      const before = pidNow();
      process.kill(before, 'SIGTERM');
      await eventually(() => expect([0, before]).not.toContain(pidNow()), { timeoutMs: 60_000 });
    }));
    await traffic.expectTurnOver();
  }

  describe('the secrets of bearer tokens, entry tokens and challenges', () => {
    let oldToken: string;

    it('with the old ones alone', async () => {
      traffic.issue = async (accountId) => signToken(oldJwt, accountId, ['buyer']);
      oldToken = await traffic.issue('late');
      traffic.start();
      await traffic.expectTurnOver();
      expect(traffic.refused).toEqual([]);
    });

    it('with the new ones believed', () => expectNobodyRefusedWhileRolling({ JWT_SECRET: `${oldJwt},${newJwt}`, ENTRY_TOKEN_SECRET: `${oldEntry},${newEntry}` }), rollMs);

    it('with the new ones signing', () => expectNobodyRefusedWhileRolling({ JWT_SECRET: `${newJwt},${oldJwt}`, ENTRY_TOKEN_SECRET: `${newEntry},${oldEntry}`, RECEIPT_SECRET: draw() }), rollMs);

    it('with the old ones gone, when nothing that they signed is about any more', async () => {
      traffic.issue = async (accountId) => signToken(newJwt, accountId, ['buyer']);
      await traffic.expectTurnOver();
      await expectNobodyRefusedWhileRolling({ JWT_SECRET: newJwt, ENTRY_TOKEN_SECRET: newEntry });
      for (const { api } of gateways) expect((await api.call('GET', '/v1/me/orders', { token: oldToken })).status).toBe(401);
    }, rollMs);
  });

  it('the keys of the identity provider', async () => {
    const issuer = async (kid: string) => {
      const { publicKey, privateKey } = await generateKeyPair('ES256');
      const exp = Math.floor(Date.now() / 1_000) + 3_600;
      return {
        jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' },
        issue: (accountId: string) => new SignJWT({ sub: accountId, roles: ['buyer'], exp }).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey),
      };
    };
    const [first, second] = [await issuer('first'), await issuer('second')];
    provider.keys = [first.jwk];
    traffic.issue = first.issue;
    await traffic.expectTurnOver();
    provider.keys = [first.jwk, second.jwk];
    traffic.issue = second.issue;
    await traffic.expectTurnOver();
    provider.keys = [second.jwk];
    await traffic.expectTurnOver();
    expect(traffic.refused).toEqual([]);
  });

  it.each([
    ['sandbox-payment', 'takes both API keys', sandbox, { SANDBOX_API_KEY: `${newApi},${oldApi}` }],
    ['order', 'shows the new API key, and believes notices under both secrets', order, { SANDBOX_API_KEY: newApi, SANDBOX_WEBHOOK_SECRET: `${oldHook},${newHook}` }],
    ['sandbox-payment', 'forgets the old API key, and signs notices with the new secret', sandbox, { SANDBOX_API_KEY: newApi, SANDBOX_WEBHOOK_SECRET: newHook }],
    ['order', 'forgets the old secret', order, { SANDBOX_WEBHOOK_SECRET: newHook }],
  ] as const)('what is shared with the payment provider: %s %s', async (name, _what, variables, changes) => {
    Object.assign(variables, changes);
    await expectNobodyRefusedAround(name);
  });

  describe('the passwords of the servers', () => {
    const password = draw();
    /** The same server for the user `next`. */
    const asNext = (url: string) => Object.assign(new URL(url), { username: 'next', password }).href;
    let redis: Redis;

    it('with a second user beside the first', async () => {
      const { run } = platform;
      redis = new Redis(run.redis.url);
      const { username } = new URL(run.postgres.url);
      await redis.acl('SETUSER', 'next', 'on', `>${password}`, 'allkeys', 'allchannels', 'allcommands');
      await postgres.query(`CREATE ROLE next LOGIN PASSWORD '${password}' IN ROLE ${escapeIdentifier(username)}`);
      await postgres.query(`ALTER ROLE next SET role TO ${escapeIdentifier(username)}`); // What it makes belongs to the same owner.
      await platform.controlBroker('add_user', 'next', password);
      await platform.controlBroker('set_permissions', 'next', '.*', '.*', '.*');
      for (const variables of Object.values(environment)) {
        Object.assign(variables, { AMQP_URL: asNext(run.rabbitmq.url), DATABASE_URL: asNext(run.postgres.url), REDIS_URL: asNext(run.redis.url) });
      }
      expect(traffic.refused).toEqual([]);
    });

    it('the services behind the gateways go over to it', () => expectNobodyRefusedAround('gateway', 'promotion', 'order', 'notification'), rollMs);

    it('and who alone gives out units', () => expectNobodyRefusedAround('seckill'), rollMs);

    it('and the gateways of the buyers', () => expectNobodyRefusedWhileRolling({ AMQP_URL: asNext(platform.run.rabbitmq.url) }), rollMs);

    it('and the first is locked out', async () => {
      const { username } = new URL(platform.run.postgres.url);
      const sessions = await postgres.query<{ usename: string }>('SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()');
      expect(sessions.rows).toEqual([{ usename: 'next' }]);
      await redis.auth('next', password);
      await redis.acl('SETUSER', 'default', 'off');
      await postgres.query(`ALTER ROLE ${escapeIdentifier(username)} NOLOGIN`);
      await platform.controlBroker('delete_user', new URL(platform.run.rabbitmq.url).username);
      await expect(new Client(platform.run.postgres.url).connect()).rejects.toThrow(/not permitted to log in/);
      await traffic.expectTurnOver();
    });

    afterAll(() => redis?.disconnect());
  });

  it('and everybody who was let in has an order, paid where it was paid for', async () => {
    await traffic.stop();
    expect(traffic.refused).toEqual([]);
    await eventually(async () => {
      for (const saleId of traffic.saleIds) {
        const audit = await new Api(platform.run).audit(saleId);
        expect(audit).toMatchObject({ verdict: 'clean', lost: 0, unexplained: 0 });
        expect(audit.items[0].sold).toBe(traffic.paid.get(saleId) ?? 0);
      }
    }, { timeoutMs: 60_000 });
  });
});
