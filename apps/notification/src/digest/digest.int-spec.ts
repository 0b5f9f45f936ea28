import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { accept, refuse, type Answer, type Ask, type SaleDocument } from '@floodgate/contracts';
import { Answers, Database } from '@floodgate/platform';
import { eventually, startService, type RunningService } from '@floodgate/platform/testing';
import { Controller, Module, type DynamicModule } from '@nestjs/common';
import { AppModule } from '../app.module.js';
import { DigestJob } from './digest.job.js';

const actor = { accountId: 'o-test', roles: ['operator'] };
/** Far more than a test takes, however slow the machine. */
const everyMs = 3_600_000;
/** What order and seckill would answer, by sale. */
const figures = new Map<string, { reserved: number; remaining: number; isAway?: boolean }>();

@Controller()
class PretendOthers {
  @Answers('get-sale-report')
  report({ saleId }: Ask<'get-sale-report'>): Answer<'get-sale-report'> {
    const known = figures.get(saleId);
    if (!known || known.isAway) return refuse('UNAVAILABLE', 'away');
    return accept({
      saleId, funnel: { reserved: known.reserved, ordered: 9, paid: 5, open: 3, released: 1, 'payment-timeout': 1 }, soldOutAt: known.remaining === 0 ? new Date(openedAtMs + 1_500).toISOString() : null,
      amount: { amount: 995, currency: 'GBP' }, percentiles: { 'reservation to order p99 ms': 42 }, items: [], startedAt: null, perSecond: [],
    });
  }

  @Answers('get-board')
  board({ saleIds }: Ask<'get-board'>): Answer<'get-board'> {
    const lanes = (saleIds ?? []).flatMap((saleId) => (figures.has(saleId) ? [{
      saleId, lane: 0, epoch: 1, version: 1, state: 'ARMED' as const, selling: true, atMs: 1, whole: true, admittedFrom: 0, admitted: [], items: [[`${saleId}-1`, figures.get(saleId)!.remaining, 0] as [string, number, number]],
    }] : []));
    return { atMs: 1, lanes };
  }
}

@Module({ controllers: [PretendOthers] })
class WithOthers {}

const openedAtMs = Date.now() - 10_000;
let service: RunningService;
const start = (beside?: RunningService['place']) => startService(
  (urls): DynamicModule => ({ module: WithOthers, imports: [AppModule.with({ ...urls, DIGEST_EVERY_S: everyMs / 1_000, SALE_LINK: 'https://shop.example/sales/{saleId}/report' })] }), (builder) => builder, beside);
beforeAll(async () => {
  service = await start();
  // Nobody listens there: what it would be told stays in the table.
  expect(await service.client.ask('save-channel', { actor, name: 'team', kind: 'wecom', url: 'http://127.0.0.1:9/', secret: null, hears: ['digests'] })).toMatchObject({ ok: true });
});
afterAll(() => service.stop());
afterEach(() => figures.clear());

const document = (changes: Partial<SaleDocument> = {}): SaleDocument => {
  const saleId = `Sale${randomBytes(5).toString('hex')}`;
  return {
    saleId, version: 3, state: 'APPROVED', title: 'Ten phones', merchantId: 'm', mode: 'race', opensAtMs: openedAtMs, closesAtMs: Date.now() + 100 * everyMs, paymentWindowMs: 60_000, latePayment: 'refund',
    limits: { perAccount: 1, perIp: null }, challenge: 'none', currency: 'GBP', ridSecret: 'ab'.repeat(32), lanes: 1,
    items: [{ itemId: `${saleId}-1`, skuId: 'phone', title: 'Phone', imageUrl: null, kind: 'goods', price: 199, listPrice: null, quota: 10, perAccount: null }], ...changes,
  };
};
const publish = async (sale: SaleDocument): Promise<string> => {
  await service.publisher.publish('sale.approved', sale);
  await eventually(async () => expect(await service.get(Database).query('SELECT FROM digest_sale WHERE sale_id = $1 AND title IS NOT NULL', [sale.saleId])).toHaveLength(1));
  return sale.saleId;
};
const told = async (saleId: string): Promise<string[]> =>
  (await service.get(Database).query<{ title: string }>('SELECT title FROM team_message WHERE occasion LIKE $1 ORDER BY id', [`digest:${saleId}:%`])).map(({ title }) => title);
const tick = () => service.get(DigestJob).tick();
const letPass = (saleId: string, ms: number) => service.get(Database).query(
  "UPDATE digest_sale SET opens_at = opens_at - $2::int * interval '1 millisecond', closes_at = closes_at - $2::int * interval '1 millisecond' WHERE sale_id = $1", [saleId, ms]);

describe('a sale', () => {
  it('is told of at the opening, every so often, when it is sold out and at the end, each once', async () => {
    const sale = document();
    figures.set(sale.saleId, { reserved: 8, remaining: 2 });
    await publish(sale);
    await eventually(async () => { await tick(); expect(await told(sale.saleId)).toEqual(['OPEN: Ten phones']); });
    await letPass(sale.saleId, everyMs);
    await eventually(async () => { await tick(); expect(await told(sale.saleId)).toEqual(['OPEN: Ten phones', 'on sale: Ten phones']); });
    figures.set(sale.saleId, { reserved: 10, remaining: 0 });
    await eventually(async () => { await tick(); expect(await told(sale.saleId)).toHaveLength(3); });
    await service.publisher.publish('sale.changed', { saleId: sale.saleId, version: 9, state: 'ENDED' });
    await eventually(async () => { await tick(); expect((await told(sale.saleId)).at(-1)).toBe('ENDED: Ten phones'); });
    await letPass(sale.saleId, 10 * everyMs);
    await tick();
    expect(await told(sale.saleId)).toEqual(['OPEN: Ten phones', 'on sale: Ten phones', 'SOLD OUT: Ten phones', 'ENDED: Ten phones']);
    const [soldOut] = await service.get(Database).query<{ lines: string[]; link: string }>('SELECT lines, link FROM team_message WHERE occasion = $1', [`digest:${sale.saleId}:sold-out`]);
    expect(soldOut).toEqual({
      lines: ['reserved 10, ordered 9, paid 5, waiting 3, released 1 (payment-timeout 1)', '9.95 GBP paid; 0 of 10 units remain', expect.stringMatching(/^sold out [\d.]+ s after the opening$/), 'from reservation to order 42 ms (p99)'],
      link: `https://shop.example/sales/${sale.saleId}/report`,
    });
  });

  it('is told of by one of two instances', async () => {
    const other = await start(service.place);
    try {
      const sale = document();
      figures.set(sale.saleId, { reserved: 8, remaining: 0 });
      await publish(sale);
      await letPass(sale.saleId, 2 * everyMs);
      await eventually(async () => {
        await Promise.all([tick(), other.get(DigestJob).tick()]);
        expect((await told(sale.saleId)).toSorted()).toEqual(['OPEN: Ten phones', 'SOLD OUT: Ten phones', 'on sale: Ten phones']);
      });
    } finally {
      await other.stop();
    }
  });

  it('waits with its figures until somebody has them', async () => {
    const sale = document({ closesAtMs: Date.now() - 1_000 });
    figures.set(sale.saleId, { reserved: 8, remaining: 2, isAway: true });
    await publish(sale);
    await tick();
    await tick();
    expect(await told(sale.saleId)).toEqual([]);
    figures.set(sale.saleId, { reserved: 8, remaining: 2 });
    await eventually(async () => { await tick(); expect(await told(sale.saleId)).toEqual(['ENDED: Ten phones']); });
  });

  it('that ends before it opens is not told of, nor one that has not opened', async () => {
    const withdrawn = document({ opensAtMs: Date.now() + 600_000 });
    const upcoming = document({ opensAtMs: Date.now() + 600_000 });
    // Its last state overtakes the document.
    await service.publisher.publish('sale.changed', { saleId: withdrawn.saleId, version: 9, state: 'WITHDRAWN' });
    await eventually(async () => expect(await service.get(Database).query("SELECT FROM digest_sale WHERE sale_id = $1 AND state = 'WITHDRAWN'", [withdrawn.saleId])).toHaveLength(1));
    await publish(withdrawn);
    await publish(upcoming);
    await eventually(async () => { await tick(); expect(await service.get(Database).query('SELECT FROM digest_sale WHERE sale_id = $1 AND done', [withdrawn.saleId])).toHaveLength(1); });
    expect([await told(withdrawn.saleId), await told(upcoming.saleId)]).toEqual([[], []]);
  });

  it('is not told of to a channel that is made after its end', async () => {
    const sale = document({ closesAtMs: Date.now() - 1_000 });
    figures.set(sale.saleId, { reserved: 8, remaining: 2 });
    await service.get(Database).query("UPDATE channel SET hears = '{alerts}'");
    try {
      await publish(sale);
      await eventually(async () => { await tick(); expect(await service.get(Database).query('SELECT FROM digest_sale WHERE sale_id = $1 AND done', [sale.saleId])).toHaveLength(1); });
    } finally {
      await service.get(Database).query("UPDATE channel SET hears = '{digests}'");
    }
    await tick();
    expect(await told(sale.saleId)).toEqual([]);
  });
});
