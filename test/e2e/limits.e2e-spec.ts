import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { AppProcess, freePort } from '../../libs/platform/src/support/app.process.js';
import { Api, expectStatus, type ApiAnswer } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

describe('promise: limits are kept, can be changed while everything runs, and never take a winner\'s answer away', () => {
  let platform: Platform;
  let second: AppProcess;
  let gateways: Api[];
  let api: Api;
  beforeAll(async () => {
    platform = await startPlatform();
    const port = await freePort();
    second = await AppProcess.start('gateway', {
      NODE_ENV: 'test', AMQP_URL: platform.run.rabbitmq.url, NAMESPACE: platform.namespace, PORT: String(port), JWT_SECRET: platform.run.jwtSecret,
      ENTRY_TOKEN_SECRET: randomUUID(), RECEIPT_SECRET: randomUUID(), TRUSTED_PROXIES: '127.0.0.0/8',
    });
    api = new Api(platform.run);
    gateways = [api, new Api({ ...platform.run, gatewayUrl: `http://127.0.0.1:${port}` })];
  });
  afterAll(async () => {
    await second?.stop();
    await platform?.stop();
  });

  const set = async (name: string, value: unknown): Promise<any> => expectStatus(200, await api.admin('operator', 'PUT', `/switches/${name}`, { value }));
  const address = () => `2001:db8:${Math.floor(Math.random() * 65_536).toString(16)}:${Math.floor(Math.random() * 65_536).toString(16)}::1`;
  const orders = (of: Api, account: string, from: string) => of.call('GET', '/v1/me/orders', { token: api.as(account, 'buyer'), headers: { 'x-forwarded-for': from } });
  const send = (saleId: string, items: object[], options: { token: string; key: string; entryToken: string; from: string }) =>
    api.call('POST', `/v1/sales/${saleId}/reservations`, { token: options.token, key: options.key, body: { entryToken: options.entryToken, items }, headers: { 'x-forwarded-for': options.from } });

  function expectLimited(answer: ApiAnswer, scope: string): void {
    expect([answer.status, answer.body.code, answer.body.scope]).toEqual([429, 'RATE_LIMITED', scope]);
    expect(answer.body.retryAfterMs).toBeGreaterThan(0);
    expect(Number(answer.headers.get('retry-after'))).toBe(Math.ceil(answer.body.retryAfterMs / 1_000));
  }

  afterEach(async () => {
    for (const name of ['ip', 'account']) await set(`limits.${name}.requests-per-minute`, 0);
  });

  it('a switch works at every gateway, is audited by its view, and refuses nonsense with its bounds', async () => {
    const name = 'streams.per-account-max';
    expect(await set(name, 4)).toMatchObject({ name, value: 4, default: 10, changedBy: 'o-test' });
    for (const gateway of gateways) expect((await gateway.admin('operator', 'GET', `/switches/${name}`)).body).toMatchObject({ value: 4 });
    const refused = await api.admin('operator', 'PUT', `/switches/${name}`, { value: 0 });
    expect([refused.status, refused.body.code, refused.body.errors]).toEqual([400, 'INVALID_REQUEST', [{ path: '/value', message: 'must be an integer from 1 to 1000' }]]);
    expect((await api.admin('operator', 'PUT', '/switches/no-such', { value: 0 })).body.code).toBe('NOT_FOUND');
    expect((await api.admin('merchant', 'PUT', `/switches/${name}`, { value: 5 })).body.code).toBe('FORBIDDEN');
    const stop = 'payments.enabled';
    for (const [value, status] of [[false, 503], [true, 404]] as const) {
      await set(stop, value);
      for (const gateway of gateways) {
        await eventually(async () => {
          const answer = await gateway.call('POST', '/v1/orders/none/payments', { token: api.as('a', 'buyer'), key: 'k', body: { provider: 'sandbox' } });
          expect(answer.status).toBe(status);
        });
      }
    }
  });

  it('requests of an address, at each gateway by itself, by the right-most hop and the /64', async () => {
    await set('limits.ip.burst', 2);
    await set('limits.ip.requests-per-minute', 1);
    for (const gateway of gateways) {
      const from = address();
      await eventually(async () => expectLimited(await orders(gateway, randomUUID(), from), 'ip'));
      expectLimited(await orders(gateway, randomUUID(), `9.9.9.9, ${from}9`), 'ip');
      expectStatus(200, await orders(gateway, randomUUID(), address()));
    }
  });

  it('requests of an account; whoever won still gets the answer, however often the button is pressed', async () => {
    const sale = await api.armedSale([{ quota: 5 }]);
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const winner = api.buyer();
    const stranger = api.buyer();
    const options = { token: winner.token, key: randomUUID(), entryToken: await winner.entryToken(sale.id), from: address() };
    const strangers = { token: stranger.token, key: randomUUID(), entryToken: await stranger.entryToken(sale.id), from: address() };
    const first = expectStatus(202, await send(sale.id, items, options));
    await set('limits.account.burst', 1);
    await set('limits.account.requests-per-minute', 1);
    await orders(api, winner.accountId, options.from);
    await orders(api, stranger.accountId, options.from);
    const presses = await Promise.all(Array.from({ length: 40 }, () => send(sale.id, items, options)));
    for (const press of presses) expect([press.status, press.body]).toEqual([202, first]);
    expectLimited(await send(sale.id, items, { ...options, key: randomUUID() }), 'account');
    for (let press = 0; press < 10; press++) expectLimited(await send(sale.id, items, strangers), 'account');
    expect((await api.audit(sale.id)).items[0]).toMatchObject({ available: 4 });
  });

  it('attempts of an account in a sale that says how many', async () => {
    const sale = await api.armedSale([{ quota: 5, perAccount: 1 }], { limits: { attemptsPerMinute: 2 } });
    const items = [{ itemId: sale.items[0]!.id, quantity: 2 }];
    const buyer = api.buyer();
    const entryToken = await buyer.entryToken(sale.id);
    for (let time = 0; time < 2; time++) expect((await buyer.reserve(sale.id, items, { entryToken })).body.code).toBe('LIMIT_REACHED');
    expectLimited(await buyer.reserve(sale.id, items, { entryToken }), 'sale');
    expectStatus(202, await api.buyer().reserve(sale.id, [{ ...items[0]!, quantity: 1 }]));
  });

  it('units of an address: given back with the reservation', async () => {
    const sale = await api.armedSale([{ quota: 9 }], { limits: { perAccount: 2, perIp: 2 } });
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const from = address();
    const buy = async (account = api.buyer()) => ({ account, answer: await send(sale.id, items, { token: account.token, key: randomUUID(), entryToken: await account.entryToken(sale.id), from }) });
    const { account, answer } = await buy();
    expectStatus(202, answer);
    expectStatus(202, (await buy()).answer);
    expect((await buy()).answer.body).toMatchObject({ code: 'LIMIT_REACHED', scope: 'ip', limit: 2 });
    expectStatus(202, await account.cancel(answer.body.reservationId));
    await account.until(answer.body.reservationId, ['RELEASED']);
    await eventually(async () => expectStatus(202, (await buy()).answer));
    expect((await buy()).answer.body).toMatchObject({ code: 'LIMIT_REACHED', scope: 'ip' });
  });
});
