import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Api, expectStatus, type ApiAnswer } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

describe('promise: stock changes while a sale sells, and every unit is explained', () => {
  let platform: Platform;
  let api: Api;
  beforeAll(async () => {
    platform = await startPlatform();
    api = new Api(platform.run);
  });
  afterAll(() => platform?.stop());

  const change = (saleId: string, itemId: string, delta: number, key: string = randomUUID()): Promise<ApiAnswer> =>
    api.call('POST', `/v1/admin/sales/${saleId}/items/${itemId}/stock`, { token: api.as('o-test', 'operator'), key, body: { delta, reason: `by ${delta}` } });
  const clean = (saleId: string, item: Record<string, unknown>) => eventually(async () => {
    expect(await api.audit(saleId)).toMatchObject({ verdict: 'clean', oversold: 0, lost: 0, duplicated: 0, unexplained: 0, redisEqualsPostgres: true, findings: [], items: [item] });
  }, { timeoutMs: 30_000 });
  const pidOf = (name: string): number => platform.run.services.find((service) => service.name === name)!.pid;

  it('sold out, then units are added: a buyer gets one, and everybody sees the new quota', async () => {
    const sale = await api.armedSale([{ quota: 1 }]);
    const itemId = sale.items[0]!.id;
    const [first, second] = [api.buyer(), api.buyer()];
    expectStatus(202, await first.reserve(sale.id, [{ itemId, quantity: 1 }]));
    await eventually(async () => expect((await second.reserve(sale.id, [{ itemId, quantity: 1 }])).body).toMatchObject({ code: 'SOLD_OUT', remaining: 0 }));
    const added = await change(sale.id, itemId, 1);
    expect(expectStatus(200, added)).toMatchObject({ itemId, delta: 1, quota: 2, available: 1 });
    await eventually(async () => expectStatus(202, await second.reserve(sale.id, [{ itemId, quantity: 1 }])));
    expect((await api.call('GET', `/v1/sales/${sale.id}`)).body.items[0]).toMatchObject({ quota: 2 });
    await eventually(async () => {
      expect((await api.call('GET', `/v1/sales/${sale.id}`)).body.items[0]).toMatchObject({ quota: 2, remaining: 0, soldOut: true });
      expect((await api.admin('merchant', 'GET', `/sales/${sale.id}`)).body.items[0]).toMatchObject({ quota: 2 });
    });
    await clean(sale.id, { quota: 2, available: 0, held: 2 });
  });

  it('units are taken back once per key, never those of a buyer, and not in every state', async () => {
    const sale = await api.armedSale([{ quota: 5 }]);
    const itemId = sale.items[0]!.id;
    const buyer = api.buyer();
    const { reservationId } = expectStatus(202, await buyer.reserve(sale.id, [{ itemId, quantity: 2 }])) as { reservationId: string };
    const key = randomUUID();
    expect((await change(sale.id, itemId, -4, key)).body).toMatchObject({ code: 'INSUFFICIENT_STOCK', status: 409, available: 3 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => change(sale.id, itemId, -3, key)));
    expect(answers.map(({ status, body }) => [status, body.quota])).toEqual(answers.map(() => [200, 2]));
    expect((await change(sale.id, itemId, -2, key)).body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', status: 422 });
    await eventually(async () => expect((await api.call('GET', `/v1/sales/${sale.id}`)).body.items[0]).toMatchObject({ quota: 2, remaining: 0, soldOut: true }));
    await buyer.until(reservationId, ['ORDERED']);
    await buyer.pay(reservationId);
    await clean(sale.id, { quota: 2, available: 0, held: 0, sold: 2 });
    expectStatus(200, await api.admin('operator', 'POST', `/sales/${sale.id}/close`));
    await eventually(async () => expect((await change(sale.id, itemId, 1)).body).toMatchObject({ code: 'INVALID_TRANSITION', state: 'ENDED' }));
    expect((await change(sale.id, itemId, -3, key)).headers.get('idempotency-replayed')).toBe('true');
    const draft = expectStatus(201, await api.admin('merchant', 'POST', '/sales', api.saleInput([{ quota: 1 }])));
    expect((await change(draft.id, draft.items[0].id, 1)).body).toMatchObject({ code: 'INVALID_TRANSITION', state: 'DRAFT' });
    expect((await change('nosuchsale', 'x', 1)).body).toMatchObject({ code: 'NOT_FOUND', status: 404 });
  });

  it('a unit that comes back after a cancel is sold to the next buyer, sold out or not', async () => {
    const sale = await api.armedSale([{ quota: 1 }]);
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const [first, second] = [api.buyer(), api.buyer()];
    const { reservationId } = expectStatus(202, await first.reserve(sale.id, items)) as { reservationId: string };
    await eventually(async () => expect((await second.reserve(sale.id, items)).body.code).toBe('SOLD_OUT'));
    expectStatus(202, await first.cancel(reservationId));
    await eventually(async () => expectStatus(202, await second.reserve(sale.id, items)));
  });

  it('operators add and take back while buyers hammer: no buyer who got one loses it', async () => {
    const sale = await api.armedSale([{ quota: 30 }]);
    const itemId = sale.items[0]!.id;
    const buyers = await Promise.all(Array.from({ length: 120 }, async () => {
      const buyer = api.buyer();
      return { buyer, entryToken: await buyer.entryToken(sale.id) };
    }));
    const won: { buyer: (typeof buyers)[number]['buyer']; id: string }[] = [];
    const buying = Promise.all(buyers.map(async ({ buyer, entryToken }) => {
      const answer = await buyer.reserve(sale.id, [{ itemId, quantity: 1 }], { entryToken });
      if (answer.status === 202) won.push({ buyer, id: answer.body.reservationId });
      else expect(['SOLD_OUT']).toContain(answer.body.code);
    }));
    const changes = await Promise.all([5, -7, 10, -4, -20, 3, -6, 8].map(async (delta) => ({ delta, answer: await change(sale.id, itemId, delta) })));
    await buying;
    for (const { delta, answer } of changes) expect([delta, answer.status, answer.body.code]).toEqual([delta, ...(answer.status === 200 ? [200, undefined] : [409, 'INSUFFICIENT_STOCK'])]);
    const quota = changes.reduce((sum, { delta, answer }) => sum + (answer.status === 200 ? delta : 0), 30);
    expect(won.length).toBeLessThanOrEqual(quota);
    for (const { buyer, id } of won) await buyer.until(id, ['ORDERED']);
    await clean(sale.id, { quota, available: quota - won.length, held: won.length, redisAvailable: quota - won.length });
  });

  it.each(['order', 'seckill'])('%s dies in the middle of taking units back: the same key ends in one answer', async (service) => {
    const sale = await api.armedSale([{ quota: 40 }]);
    const itemId = sale.items[0]!.id;
    const buyer = api.buyer();
    expectStatus(202, await buyer.reserve(sale.id, [{ itemId, quantity: 3 }]));
    const keys = Array.from({ length: 12 }, () => randomUUID());
    const pid = pidOf(service);
    const first = keys.map((key) => change(sale.id, itemId, -2, key));
    const killing = Promise.race(first).then(() => process.kill(pid, 'SIGKILL'));
    await Promise.all([...first, killing]);
    // Whatever was answered or not then: asked again until it is definite, each key has taken two units, or none.
    for (const key of keys) {
      await eventually(async () => expect([200, 409]).toContain((await change(sale.id, itemId, -2, key)).status), { timeoutMs: 60_000 });
    }
    const definite = await Promise.all(keys.map((key) => change(sale.id, itemId, -2, key)));
    const taken = definite.filter(({ status }) => status === 200).length;
    expect(taken).toBe(12);
    await clean(sale.id, { quota: 16, available: 13, held: 3, redisAvailable: 13 });
  }, 180_000);
});
