import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { CodeDrill } from '../../tools/src/codes/drill.js';
import { Api, expectStatus, type ApiAnswer } from '../support/api.js';
import { startPlatform, type Platform } from '../support/platform.js';

/** Every code of this file begins so: wherever this is found, a code is. */
const canary = `CANARY${randomUUID().slice(0, 8)}`;

describe('promise: a code belongs to one buyer, and whoever paid for none gets the money back', () => {
  let platform: Platform;
  let api: Api;
  beforeAll(async () => {
    platform = await startPlatform();
    api = new Api(platform.run);
  });
  afterAll(() => platform?.stop());

  const codes = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${canary}-${name}-${index}`);

  function importCodes(sale: { id: string; items: { id: string }[] }, body: string, changes: { token?: string; type?: string } = {}): Promise<ApiAnswer> {
    return api.call('POST', `/v1/admin/sales/${sale.id}/items/${sale.items[0]!.id}/codes`, {
      token: changes.token ?? api.as('m-test', 'merchant'), body, headers: { 'content-type': changes.type ?? 'text/csv' },
    });
  }

  const draft = async (quota: number) => expectStatus<any>(201, await api.admin('merchant', 'POST', '/sales', api.saleInput([{ kind: 'voucher', quota }], { paymentWindowSeconds: 3_600 })));

  async function residentBytes(service: string): Promise<number> {
    const { internalUrl } = platform.run.services.find(({ name }) => name === service)!;
    const text = await (await fetch(`${internalUrl}/metrics`)).text();
    return Number(/^process_resident_memory_bytes\S* (\S+)$/m.exec(text)![1]);
  }

  it('a hundred thousand codes are taken in, in little memory, and a second time none', async () => {
    const sale = await draft(10);
    const file = ['code', ...codes(100_000, 'many'), 'two,columns', ''].join('\n');
    // The first import warms both processes up; what they keep then is not the file's.
    expectStatus(200, await importCodes(sale, ['code', ...codes(20_000, 'warm')].join('\n')));
    const before = await Promise.all(['gateway', 'order'].map(residentBytes));
    expect(expectStatus(200, await importCodes(sale, file))).toEqual({ received: 100_001, added: 100_000, duplicates: 0, invalid: 1, errors: [{ line: 100_002, message: 'has more than one column' }] });
    const after = await Promise.all(['gateway', 'order'].map(residentBytes));
    after.forEach((bytes, index) => expect(bytes - before[index]!).toBeLessThan(150 * 2 ** 20));
    expect(expectStatus(200, await importCodes(sale, file))).toMatchObject({ received: 100_001, added: 0, duplicates: 100_000 });
    expect(expectStatus(200, await api.admin('merchant', 'GET', `/sales/${sale.id}/items/${sale.items[0].id}/code-pool`))).toMatchObject({ total: 120_000, free: 120_000 });
  }, 600_000);

  it('refuses what is no list of codes, and whoever does not own the sale', async () => {
    const sale = await draft(10);
    expect((await importCodes(sale, '{"code":"x"}', { type: 'application/json' })).status).toBe(415);
    expect((await importCodes(sale, 'code\nx', { token: api.as('m-other', 'merchant') })).status).toBe(404);
    expect((await importCodes(sale, 'code\nx', { token: api.as('b-1', 'buyer') })).status).toBe(403);
    expect(expectStatus(200, await importCodes(sale, `{"code":"${canary}-x"}\n`, { type: 'application/x-ndjson' }))).toMatchObject({ received: 1, added: 1 });
  });

  it('90 codes for 150 paid orders, Redis wiped half-way: each code once, everybody else refunded once', async () => {
    const result = await new CodeDrill(platform.run, () => undefined).play({ orders: 150, codes: 90, wipeRedis: true, prefix: canary });
    expect(result).toMatchObject({
      fulfilled: 90, outOfInventory: 60, other: 0, twice: 0, invented: 0, payments: { captured: 150, refunded: 60 }, verdict: 'clean', findings: [],
    });
    expect(await api.audit(result.saleId)).toMatchObject({ items: [{ quota: 150, sold: 90, burned: 60, held: 0, available: 0, redisAvailable: 0 }] });
  }, 600_000);

  it('no code stands in clear in a log or a table', async () => {
    const written = readdirSync(platform.logDir).map((name) => readFileSync(path.join(platform.logDir, name), 'utf8'));
    expect(written.join('').length).toBeGreaterThan(0);
    expect(written.filter((text) => text.includes(canary))).toEqual([]);
    const client = new Client({ connectionString: platform.run.postgres.url });
    await client.connect();
    try {
      const { rows } = await client.query(`SELECT table_schema || '.' || quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema IN ('orders', 'promotion', 'notification')`);
      expect(rows.length).toBeGreaterThan(10);
      for (const { name } of rows) {
        const found = await client.query(`SELECT 1 FROM ${name} t WHERE strpos(t::text, $1) > 0 OR strpos(t::text, $2) > 0 LIMIT 1`, [canary, Buffer.from(canary).toString('hex')]);
        expect([name, found.rowCount]).toEqual([name, 0]);
      }
    } finally {
      await client.end();
    }
  });
});
