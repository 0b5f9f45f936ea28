import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

describe('promise: a message that always fails harms nobody else, and its order is not lost', () => {
  let platform: Platform;
  let api: Api;
  let sql: pg.Client;
  beforeAll(async () => {
    platform = await startPlatform({ retryDelaysMs: [50, 50, 50, 50] });
    api = new Api(platform.run);
    sql = new pg.Client({ connectionString: platform.run.postgres.url });
    await sql.connect();
    await sql.query(`
      CREATE FUNCTION public.refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poisoned account'; END $$;
      CREATE TRIGGER refuse_poison BEFORE INSERT ON orders.orders FOR EACH ROW WHEN (NEW.account_id LIKE 'poison%' AND NEW.state = 'PENDING') EXECUTE FUNCTION public.refuse_poison();`);
  });
  afterAll(async () => {
    await sql?.end();
    await platform?.stop();
  });

  /** One poisoned buyer among twenty others, all at once so that they share chunks. */
  async function poisonedRush(poison: string) {
    const sale = await api.armedSale([{ quota: 30 }]);
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const buyers = [api.buyer(poison), ...Array.from({ length: 20 }, () => api.buyer())];
    const tokens = await Promise.all(buyers.map((buyer) => buyer.entryToken(sale.id)));
    const ids = (await Promise.all(buyers.map((buyer, i) => buyer.reserve(sale.id, items, { entryToken: tokens[i]! })))).map((answer) => expectStatus(202, answer).reservationId as string);
    await Promise.all(buyers.slice(1).map((buyer, i) => buyer.until(ids[i + 1]!, ['ORDERED'])));
    const letter = await eventually(async () => {
      const letters = expectStatus(200, await api.admin('operator', 'GET', '/dead-letters?limit=100')).items;
      const mine = letters.filter((one: any) => one.reservationIds.includes(ids[0]));
      expect(mine).toHaveLength(1);
      return mine[0];
    });
    return { sale, buyer: buyers[0]!, id: ids[0]!, letter };
  }

  it('replay finishes the order once its cause is gone', async () => {
    const { sale, buyer, id, letter } = await poisonedRush('poison-replay');
    expect(letter).toMatchObject({ reservationIds: [id], lastError: expect.stringContaining('poisoned account'), attempts: 8 });
    expect(expectStatus(200, await buyer.reservation(id)).terminal).toBe(false);
    expect(expectStatus(200, await api.admin('operator', 'POST', `/dead-letters/${letter.id}/replay?dryRun=true`))).toMatchObject({ dryRun: true });
    await sql.query('ALTER TABLE orders.orders DISABLE TRIGGER refuse_poison');
    expectStatus(200, await api.admin('operator', 'POST', `/dead-letters/${letter.id}/replay`));
    await buyer.until(id, ['ORDERED']);
    await sql.query('ALTER TABLE orders.orders ENABLE TRIGGER refuse_poison');
    await buyer.pay(id);
    await eventually(async () => {
      expect(await api.audit(sale.id)).toMatchObject({ verdict: 'clean', items: [{ held: 20, sold: 1, available: 9, redisAvailable: 9 }] });
    });
  });

  it('discard releases the order once', async () => {
    const { sale, buyer, id, letter } = await poisonedRush('poison-discard');
    const discard = () => api.admin('operator', 'POST', `/dead-letters/${letter.id}/discard`, { reason: 'cannot be repaired' });
    for (let times = 0; times < 2; times++) expect(expectStatus(200, await discard()).state).toBe('discarded');
    expect(await buyer.until(id, ['RELEASED'])).toMatchObject({ reason: 'order-rejected', terminal: true });
    await eventually(async () => {
      expect(await api.audit(sale.id)).toMatchObject({ items: [{ held: 20, sold: 0, available: 10, redisAvailable: 10 }], redisEqualsPostgres: true });
    });
  });
});
