import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { accountOf, adminOperations, type Stage } from '../support/admin-operations.js';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

interface Entry { accountId: string; action: string; subject: string; reason: string | null; before: unknown; after: unknown; at: string; intact: boolean }

describe('promise: whoever acts on a sale is on record, and whoever may not is turned away and on record too', () => {
  let platform: Platform;
  let api: Api;
  let sql: pg.Client;
  let served: { id: string; method: string; path: string }[];
  beforeAll(async () => {
    platform = await startPlatform();
    api = new Api(platform.run);
    sql = new pg.Client({ connectionString: platform.run.postgres.url });
    await sql.connect();
    const document = expectStatus(200, await api.call('GET', '/openapi.json'));
    served = Object.entries(document.paths as Record<string, Record<string, { operationId: string }>>)
      .flatMap(([path, item]) => Object.entries(item).map(([method, { operationId }]) => ({ id: operationId, method: method.toUpperCase(), path })))
      .filter(({ path }) => path.startsWith('/v1/admin/'));
  });
  afterAll(async () => {
    await sql?.end();
    await platform?.stop();
  });

  async function log(): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: Entry[]; nextCursor: string | null } = expectStatus(200, await api.admin('auditor', 'GET', `/audit-log?limit=100&cursor=${cursor}`));
      entries.push(...page.items);
      cursor = page.nextCursor;
    }
    return entries;
  }

  it('every operation that changes something leaves an entry with actor, reason, before and after', async () => {
    const ids = new Set(served.map(({ id }) => id));
    expect(served.filter(({ id, method }) => method !== 'GET' && !(id in adminOperations)).map(({ id }) => id)).toEqual([]);
    const stage: Stage = { api, sql, saleId: '', rejectedId: '', voucherId: '', codes: { orderId: '', codes: [] } };
    const expected: Partial<Entry>[] = [];
    for (const [id, { role, act, entry }] of Object.entries(adminOperations)) {
      if (!ids.has(id)) continue;
      const subject = await act(stage);
      expected.push({ reason: null, ...entry, accountId: accountOf(role), subject } as Partial<Entry>);
    }
    await eventually(async () => {
      const entries = await log();
      for (const entry of expected) expect(entries).toContainEqual(expect.objectContaining(entry));
      expect(entries.filter(({ intact }) => !intact)).toEqual([]);
      expect(entries.map(({ at }) => at).every((at) => /^\d{4}-.*Z$/.test(at))).toBe(true);
    });
  });

  it("a buyer's token gets 403 on every admin operation, and the attempt is in the log", async () => {
    const accountId = `curious-${randomUUID()}`;
    const token = api.as(accountId, 'buyer');
    for (const { method, path } of served) {
      const answer = await api.call(method, path.replaceAll(/\{\w+\}/g, 'x'), { token });
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'FORBIDDEN']);
    }
    await eventually(async () => {
      const refused = (await log()).filter((entry) => entry.accountId === accountId && entry.action === 'refused').map(({ subject }) => subject);
      expect(refused.toSorted()).toEqual(served.map(({ id }) => id).toSorted());
    });
  });

  it('an account is blocked at once, a replay still gets its answer, and lifting lets it in again', async () => {
    const sale = await api.armedSale([{ quota: 5 }]);
    const items = [{ itemId: sale.items[0]!.id, quantity: 1 }];
    const buyer = api.buyer();
    const entryToken = await buyer.entryToken(sale.id);
    const first = expectStatus(202, await buyer.reserve(sale.id, items, { key: 'before', entryToken }));
    expectStatus(200, await api.admin('operator', 'PUT', `/block-list/${buyer.accountId}`, { reason: 'bot' }));
    expect((await buyer.reserve(sale.id, items, { entryToken })).body).toMatchObject({ status: 403, code: 'BUYER_BLOCKED' });
    expect(expectStatus(202, await buyer.reserve(sale.id, items, { key: 'before', entryToken }))).toEqual(first);
    expectStatus(204, await api.admin('operator', 'DELETE', `/block-list/${buyer.accountId}`));
    expectStatus(202, await buyer.reserve(sale.id, items, { entryToken }));
  });

  it('whoever keeps forging entry tokens is blocked by the platform, for a while', async () => {
    const sale = await api.armedSale([{ quota: 1 }]);
    const bot = api.buyer();
    for (let n = 0; n < 25; n++) {
      expect((await bot.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }], { entryToken: 'et1.forged.forged' })).body.code).toBe('ENTRY_TOKEN_INVALID');
    }
    await eventually(async () => expect(expectStatus(200, await api.admin('operator', 'GET', `/block-list/${bot.accountId}`))).toMatchObject({ actor: 'system', until: expect.any(String) }));
    const entryToken = await bot.entryToken(sale.id);
    await eventually(async () => expect((await bot.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }], { entryToken, key: 'k' })).body.code).toBe('BUYER_BLOCKED'));
    expect(await log()).toContainEqual(expect.objectContaining({ action: 'block', subject: bot.accountId, accountId: 'system' }));
  });

  it('a sale whose stock is not there is held back until it is, and the checklist of a running one has nothing to say', async () => {
    const skuId = `sku-${randomUUID()}`;
    expectStatus(200, await api.admin('operator', 'PUT', `/inventory/${skuId}`, { units: 9 }));
    const { id } = expectStatus(201, await api.admin('merchant', 'POST', '/sales', api.saleInput([{ skuId, quota: 10 }])));
    expectStatus(200, await api.admin('merchant', 'POST', `/sales/${id}/submit`));
    expectStatus(200, await api.admin('approver', 'POST', `/sales/${id}/approve`));
    await eventually(async () => expect(expectStatus(200, await api.admin('approver', 'GET', `/sales/${id}`))).toMatchObject({ state: 'APPROVED', armError: expect.stringContaining(skuId) }));
    const blocked = expectStatus(200, await api.admin('operator', 'GET', `/sales/${id}/preflight`));
    expect(blocked.rows.filter((row: { ok: boolean }) => !row.ok).map((row: { check: string }) => row.check)).toEqual(['inventory', 'arming']);
    expectStatus(200, await api.admin('operator', 'PUT', `/inventory/${skuId}`, { units: 10 }));
    await eventually(async () => expect(expectStatus(200, await api.admin('approver', 'GET', `/sales/${id}`))).toMatchObject({ state: 'OPEN', armError: null }));
    const buyer = api.buyer();
    const { reservationId } = expectStatus(202, await buyer.reserve(id, [{ itemId: `${id}-1`, quantity: 3 }]));
    await buyer.until(reservationId, ['ORDERED']);
    const running = expectStatus(200, await api.admin('operator', 'GET', `/sales/${id}/preflight`));
    expect(running.rows.filter((row: { ok: boolean }) => !row.ok)).toEqual([]);
  });
});
