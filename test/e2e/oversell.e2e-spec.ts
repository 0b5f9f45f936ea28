import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Api, type ApiAnswer } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

describe('promise: nothing oversold, nothing lost', () => {
  let platform: Platform;
  let api: Api;
  beforeAll(async () => {
    platform = await startPlatform();
    api = new Api(platform.run);
  });
  afterAll(() => platform?.stop());

  it('sells 40 units to 40 of 300 buyers who all ask twice at once, and can explain every unit', async () => {
    const sale = await api.armedSale([{ quota: 40 }], { limits: { perAccount: 1 } });
    const itemId = sale.items[0]!.id;
    const buyers = await Promise.all(Array.from({ length: 300 }, async () => {
      const buyer = api.buyer();
      return { buyer, entryToken: await buyer.entryToken(sale.id) };
    }));
    const told: { buyer: string; key: string; answer: ApiAnswer }[] = [];
    await Promise.all(buyers.flatMap(({ buyer, entryToken }) => [randomUUID(), randomUUID()].map(async (key) => {
      const answer = await buyer.reserve(sale.id, [{ itemId, quantity: 1 }], { key, entryToken });
      told.push({ buyer: buyer.accountId, key, answer });
    })));

    const won = told.filter((one) => one.answer.status === 202);
    const refused = told.filter((one) => one.answer.status !== 202);
    expect(won).toHaveLength(40);
    expect(new Set(won.map((one) => one.buyer)).size).toBe(40);
    expect(new Set(won.map((one) => one.answer.body.reservationId)).size).toBe(40);
    expect(new Set(refused.map((one) => one.answer.body.code))).toEqual(new Set(['SOLD_OUT', 'LIMIT_REACHED']));

    for (const one of won) await api.buyer(one.buyer).until(one.answer.body.reservationId, ['ORDERED']);
    await eventually(async () => {
      expect(await api.audit(sale.id)).toMatchObject({
        verdict: 'clean', oversold: 0, lost: 0, duplicated: 0, unexplained: 0, redisEqualsPostgres: true,
        items: [{ itemId, quota: 40, available: 0, held: 40, sold: 0, burned: 0, redisAvailable: 0 }],
      });
    });
  });

  it('takes one unit for one key, however often and however parallel it is sent', async () => {
    const sale = await api.armedSale([{ quota: 5 }]);
    const itemId = sale.items[0]!.id;
    const buyer = api.buyer();
    const entryToken = await buyer.entryToken(sale.id);
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => buyer.reserve(sale.id, [{ itemId, quantity: 2 }], { key, entryToken })));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get('idempotency-replayed') === 'true')).toHaveLength(19);
    await eventually(async () => {
      expect((await api.audit(sale.id)).items[0]).toMatchObject({ available: 3, held: 2, redisAvailable: 3 });
    });
  });

  it('sells a unit that came back to the next buyer', async () => {
    const sale = await api.armedSale([{ quota: 1 }]);
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const first = api.buyer();
    const second = api.buyer();
    const { reservationId } = (await first.reserve(sale.id, items)).body;
    expect((await second.reserve(sale.id, items)).body).toMatchObject({ code: 'SOLD_OUT', remaining: 0, mayReturn: true });
    expect((await first.cancel(reservationId)).status).toBe(202);
    await first.until(reservationId, ['RELEASED']);
    await eventually(async () => {
      expect((await second.reserve(sale.id, items)).status).toBe(202);
    });
    await eventually(async () => {
      expect(await api.audit(sale.id)).toMatchObject({ verdict: 'clean', items: [{ available: 0, held: 1 }] });
    });
  });
});
