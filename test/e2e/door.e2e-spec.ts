import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Api, Buyer, expectStatus, signToken, type ApiAnswer } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';
import { solveChallenge } from '../../tools/src/scenario/solve-challenge.js';

const services = ['gateway', 'promotion', 'order', 'seckill', 'notification', 'sandbox-payment'] as const;
/** Distinctive, so that finding one anywhere means that it was written there. */
const drawn = () => randomBytes(9).toString('hex');
const address = '198.51.100.77';

describe('promise: nobody enters a guarded sale without work of their own, and the logs name nobody', () => {
  let platform: Platform;
  let api: Api;
  /** What a log must never hold, and what it is. */
  const canaries = new Map<string, string>();
  const canary = (what: string, value: string): string => {
    canaries.set(value, what);
    return value;
  };
  beforeAll(async () => {
    // As much as they can say.
    platform = await startPlatform({ retryDelaysMs: [50, 50, 50, 50], serviceEnv: async () => Object.fromEntries(services.map((name) => [name, { LOG_LEVEL: 'debug' }])) });
    api = new Api(platform.run);
    canary('a secret', platform.run.jwtSecret);
    canary('a secret', platform.run.sandboxPayment.webhookSecret);
    for (const url of [platform.run.redis.url, platform.run.rabbitmq.url, platform.run.postgres.url]) canary('a password', new URL(url).password);
    canary('an address', address);
  });
  afterAll(() => platform?.stop());

  const newBuyer = (): Buyer => {
    const buyer = api.buyer(canary('an account', `account-${drawn()}`));
    canary('a bearer token', buyer.token);
    canary('a bearer token\'s signature', buyer.token.split('.')[2]!);
    return buyer;
  };
  const call = (buyer: Buyer, method: string, url: string, options: { body?: unknown; key?: string } = {}): Promise<ApiAnswer> =>
    api.call(method, url, { token: buyer.token, headers: { 'x-forwarded-for': address }, ...options });
  const solved = async (buyer: Buyer, saleId: string): Promise<string> =>
    canary('a solution', await solveChallenge(expectStatus(200, await call(buyer, 'POST', `/v1/sales/${saleId}/challenge`)).puzzle));
  const enter = (buyer: Buyer, saleId: string, solution?: string) => call(buyer, 'POST', `/v1/sales/${saleId}/entry-token`, { body: solution === undefined ? {} : { solution } });
  const failed = (answer: ApiAnswer) => expect([answer.status, answer.body.code]).toEqual([403, 'CHALLENGE_FAILED']);

  it('work opens the door once, to whoever did it', async () => {
    const sale = await api.armedSale([{ quota: 5 }], { challenge: 'proof-of-work' });
    const [buyer, other] = [newBuyer(), newBuyer()];
    failed(await enter(buyer, sale.id));
    failed(await enter(buyer, sale.id, 'bm90aGluZw=='));
    const solution = await solved(buyer, sale.id);
    failed(await enter(other, sale.id, solution));
    const { token: entryToken } = expectStatus(200, await enter(buyer, sale.id, solution));
    failed(await enter(buyer, sale.id, solution));
    canary('an entry token', entryToken);
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const stolen = await call(other, 'POST', `/v1/sales/${sale.id}/reservations`, { key: 'stolen', body: { entryToken, items } });
    expect([stolen.status, stolen.body.code]).toEqual([403, 'ENTRY_TOKEN_INVALID']);
    const key = canary('an idempotency key', `key-${drawn()}`);
    const { reservationId, receipt } = expectStatus(202, await call(buyer, 'POST', `/v1/sales/${sale.id}/reservations`, { key, body: { entryToken, items } }));
    canary('a receipt', receipt);
    await buyer.until(reservationId, ['ORDERED']);
    await buyer.pay(reservationId);
  });

  it('the answers to a stranger, a forger and a fool are the buyers\' own', async () => {
    const sale = await api.armedSale([{ quota: 5 }]);
    const [buyer, other] = [newBuyer(), newBuyer()];
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const { reservationId: id } = expectStatus(202, await buyer.reserve(sale.id, items));
    await buyer.until(id, ['ORDERED']);
    const forged = canary('a forged token', signToken(drawn(), buyer.accountId, ['operator']));
    const statuses = await Promise.all([
      call(other, 'GET', `/v1/orders/${id}`), call(other, 'POST', `/v1/orders/${id}/cancel`, { key: 'k' }), call(buyer, 'GET', '/v1/admin/audit-log'),
      api.call('GET', `/v1/orders/${id}`, { token: forged }), api.call('GET', `/v1/orders/${id}?token=${buyer.token}`),
      call(buyer, 'POST', `/v1/sales/${sale.id}/reservations`, { key: 'k', body: `{"entryToken":"${buyer.accountId}` }),
      api.call('POST', '/v1/payments/callbacks/sandbox', { body: { id: buyer.accountId }, headers: { 'x-signature': `t=1,v1=${createHmac('sha256', 'x').update(buyer.accountId).digest('hex')}` } }),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([404, 404, 403, 401, 401, 400, 401]);
    expectStatus(202, await buyer.cancel(id));
    await buyer.until(id, ['RELEASED']);
  });

  it('what services cannot read or store, they park', async () => {
    const buyer = newBuyer();
    const connection = await connect(platform.run.rabbitmq.url);
    const channel = await connection.createConfirmChannel();
    const broken = { saleId: 'nowhere', lane: 'none', reservations: [{ accountId: buyer.accountId, ipHash: address }] };
    for (const content of [JSON.stringify(broken), `{"accountId":"${buyer.accountId}`]) {
      channel.publish(`${platform.namespace}.messages`, 'place-order', Buffer.from(content), { messageId: randomUUID(), type: 'place-order', headers: { v: 1 } });
    }
    await channel.waitForConfirms();
    await connection.close();
    await eventually(async () => {
      const { items } = expectStatus(200, await api.admin('operator', 'GET', '/dead-letters'));
      expect(items.length).toBeGreaterThanOrEqual(2);
    });
    const staff = canary('an operator', `operator-${drawn()}`);
    const token = api.as(staff, 'operator');
    const block = await api.call('PUT', `/v1/admin/block-list/${buyer.accountId}`, { token, body: { reason: 'a test' } });
    expect([200, 201, 204]).toContain(block.status);
  });

  it('and none of them, nor what they showed or sent, stands in any log', async () => {
    const texts = await eventually(async () => {
      const files = readdirSync(platform.logDir).filter((name) => name.endsWith('.log'));
      const read = files.map((name) => ({ name, text: readFileSync(path.join(platform.logDir, name), 'utf8') }));
      for (const name of ['gateway', 'promotion', 'order', 'seckill', 'notification', 'sandbox-payment']) expect(read.find((file) => file.name === `${name}.log`)?.text).not.toBe('');
      // The logs do speak of what happened: only not of whom.
      expect(read.find((file) => file.name === 'order.log')!.text).toContain('dead letter');
      return read;
    });
    const found = texts.flatMap(({ name, text }) => [...canaries].filter(([value]) => value !== '' && text.includes(value)).map(([value, what]) => `${name}: ${what} ${value}`));
    expect(found).toEqual([]);
    expect(canaries.size).toBeGreaterThan(20);
  });
});
