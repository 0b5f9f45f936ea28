import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TcpProxy } from '@floodgate/platform/testing';
import { randomUUID } from 'node:crypto';
import { Api, expectStatus, type ApiAnswer, type Buyer } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

describe('promise: fail closed, and an unknown outcome is called unknown', () => {
  let platform: Platform;
  let api: Api;
  let broker: TcpProxy;
  beforeAll(async () => {
    platform = await startPlatform({
      // Only seckill reaches the broker through the proxy: what the broker says to it can be held back.
      serviceEnv: async ({ amqpUrl }) => {
        broker = new TcpProxy(new URL(amqpUrl));
        return { seckill: { AMQP_URL: await broker.start() } };
      },
    });
    api = new Api(platform.run);
  });
  afterAll(async () => {
    broker?.release();
    await platform?.stop();
    await broker?.stop();
  });

  async function saleAndBuyer(quota = 3): Promise<{ saleId: string; items: { itemId: string; quantity: number }[]; buyer: Buyer; entryToken: string; key: string }> {
    const sale = await api.armedSale([{ quota }]);
    const buyer = api.buyer();
    return { saleId: sale.id, items: [{ itemId: sale.items[0]!.id, quantity: 1 }], buyer, entryToken: await buyer.entryToken(sale.id), key: randomUUID() };
  }

  it('sends no 202 before the broker confirms, first or second time, and the key gets its one answer afterwards', async () => {
    const { saleId, items, buyer, entryToken, key } = await saleAndBuyer();
    const send = () => buyer.reserve(saleId, items, { key, entryToken });
    const early: ApiAnswer[] = [];
    broker.hold();
    try {
      // Whether or not the requests reached seckill before the broker fell silent: neither may be answered 202.
      early.push(await send(), await send());
    } finally {
      broker.release();
    }
    for (const answer of early) {
      expect(answer.status).toBe(503);
      expect(['OUTCOME_UNKNOWN', 'UNAVAILABLE']).toContain(answer.body.code);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(0);
    }
    const definite = await eventually(async () => {
      const answer = await send();
      expect(answer.status).toBe(202);
      return answer.body;
    });
    expect((await send()).body).toEqual(definite);
    await eventually(async () => {
      expect(await api.audit(saleId)).toMatchObject({ verdict: 'clean', items: [{ held: 1, available: 2, redisAvailable: 2 }] });
    });
  });

  it('a broker connection cut under load loses nobody and sells nothing twice', async () => {
    const { saleId, items } = await saleAndBuyer(50);
    const buyers = await Promise.all(Array.from({ length: 80 }, async () => {
      const buyer = api.buyer();
      return { buyer, key: randomUUID(), entryToken: await buyer.entryToken(saleId) };
    }));
    const rush = Promise.all(buyers.map(({ buyer, key, entryToken }) => buyer.reserve(saleId, items, { key, entryToken })));
    broker.cut();
    await rush;
    const won = new Set<string>();
    await eventually(async () => {
      const answers = await Promise.all(buyers.map(({ buyer, key, entryToken }) => buyer.reserve(saleId, items, { key, entryToken })));
      expect(new Set(answers.map((answer) => answer.body.code ?? answer.status))).toEqual(new Set([202, 'SOLD_OUT']));
      for (const answer of answers) if (answer.status === 202) won.add(answer.body.reservationId);
    }, { timeoutMs: 30_000 });
    expect(won.size).toBe(50);
    await eventually(async () => {
      expect(await api.audit(saleId)).toMatchObject({ verdict: 'clean', items: [{ held: 50, available: 0, redisAvailable: 0 }] });
    }, { timeoutMs: 30_000 });
  });

  it('a killed Redis stops the sale with 503, and selling resumes by itself with every earlier answer kept', async () => {
    const { saleId, items, buyer, entryToken, key } = await saleAndBuyer();
    const first = expectStatus(202, await buyer.reserve(saleId, items, { key, entryToken }));
    await buyer.until(first.reservationId, ['ORDERED']);
    const other = api.buyer();
    const othersToken = await other.entryToken(saleId);
    process.kill(platform.run.redis.pid, 'SIGKILL');
    const codes = new Set<string>();
    const second = await eventually(async () => {
      const answer = await other.reserve(saleId, items, { key: 'the-others', entryToken: othersToken });
      if (answer.status !== 202) codes.add(answer.body.code);
      expect(answer.status).toBe(202);
      return answer.body;
    }, { timeoutMs: 40_000 });
    expect([...codes].every((code) => code === 'UNAVAILABLE' || code === 'OUTCOME_UNKNOWN')).toBe(true);
    expect(codes.size).toBeGreaterThan(0);
    expect(second.number).toBeGreaterThan(first.number);
    expect((await buyer.reserve(saleId, items, { key, entryToken })).body).toEqual(first);
    await eventually(async () => {
      expect(await api.audit(saleId)).toMatchObject({ verdict: 'clean', items: [{ held: 2, available: 1, redisAvailable: 1 }] });
    }, { timeoutMs: 30_000 });
  });

  it('a seckill that stands still and wakes up later holds nothing for those who were given up', async () => {
    const { saleId, items } = await saleAndBuyer();
    const buyers = await Promise.all(Array.from({ length: 6 }, async () => {
      const buyer = api.buyer();
      return { buyer, entryToken: await buyer.entryToken(saleId) };
    }));
    const { pid } = platform.run.services.find((service) => service.name === 'seckill')!;
    process.kill(pid, 'SIGSTOP');
    let answers: ApiAnswer[];
    try {
      answers = await Promise.all(buyers.map(({ buyer, entryToken }) => buyer.reserve(saleId, items, { entryToken })));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    // Two vectors are under way and may have been carried out; who waited behind them was never sent.
    const codes = answers.map((answer) => answer.body.code as string);
    expect(new Set(codes)).toEqual(new Set(['OUTCOME_UNKNOWN', 'OVERLOADED']));
    for (const answer of answers) expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    await eventually(async () => {
      expect(await api.audit(saleId)).toMatchObject({ verdict: 'clean', items: [{ held: 0, available: 3, redisAvailable: 3 }] });
    });
  });

  it('without seckill a request is refused at once, and nothing is held', async () => {
    const { saleId, items, buyer, entryToken } = await saleAndBuyer();
    const seckill = platform.run.services.find((service) => service.name === 'seckill')!;
    process.kill(seckill.pid, 'SIGSTOP');
    process.kill(seckill.pid, 'SIGKILL');
    const codes = new Set<string>();
    await eventually(async () => {
      const answer = await buyer.reserve(saleId, items, { entryToken });
      codes.add(answer.body.code ?? String(answer.status));
      expect(answer.status).toBe(202);
    }, { timeoutMs: 20_000 });
    codes.delete('202');
    expect([...codes].every((code) => code === 'UNAVAILABLE' || code === 'OUTCOME_UNKNOWN')).toBe(true);
  });
});
