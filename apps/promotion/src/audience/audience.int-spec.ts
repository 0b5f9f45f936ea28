import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { audienceHash, unpackHashes, type Actor, type SaleView } from '@floodgate/contracts';
import { Database, type RequestClient } from '@floodgate/platform';
import type { RunningService } from '@floodgate/platform/testing';
import { saleInput } from '../sale/sale.samples.js';
import { startPromotion } from '../support/sound-facts.js';

const merchant: Actor = { accountId: 'merchant-1', roles: ['merchant'] };
let service: RunningService;
let client: RequestClient;
beforeAll(async () => {
  ({ service } = await startPromotion());
  client = service.client;
});
afterAll(() => service.stop());

async function draft(audience?: { accounts: string[] }): Promise<SaleView> {
  const opensAt = new Date(Date.now() + 3_600_000).toISOString();
  const outcome = await client.ask('create-sale', { actor: merchant, input: saleInput({ opensAt, closesAt: new Date(Date.now() + 7_200_000).toISOString(), ...(audience ? { audience } : {}) }) });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  return outcome.value;
}
async function approve(saleId: string): Promise<void> {
  for (const [action, actor] of [['submit', merchant], ['approve', { accountId: 'approver-1', roles: ['approver'] }]] as const) {
    expect(await client.ask('move-sale', { actor: actor as Actor, saleId, action, reason: null, nowMs: Date.now() })).toMatchObject({ ok: true });
  }
}
const patch = (saleId: string, change: object) => client.ask('update-sale', { actor: merchant, saleId, patch: change, nowMs: Date.now() });
const secretOf = async (saleId: string) => (await service.get(Database).query<{ rid_secret: string }>('SELECT rid_secret FROM sale WHERE id = $1', [saleId]))[0]!.rid_secret;

/** Whether each of these is in what gateways are told, which must be in rising order. */
async function members(saleId: string, ...accounts: string[]): Promise<boolean[]> {
  const hashes: number[] = [];
  for (let after: number | null = -1; after !== null;) {
    const page: { hashes: string; next: number | null } = await client.ask('list-audience', { saleId, after });
    hashes.push(...unpackHashes(page.hashes));
    after = page.next;
  }
  expect(hashes).toEqual(hashes.toSorted((a, b) => a - b));
  const secret = await secretOf(saleId);
  return accounts.map((account) => hashes.includes(audienceHash(secret, account)));
}

describe('an audience', () => {
  it('is given with the sale, echoed, replaced, and taken away; other changes leave it alone', async () => {
    const sale = await draft({ accounts: ['ann', 'ben'] });
    expect(sale.audience).toEqual({ accounts: ['ann', 'ben'] });
    expect(await members(sale.id, 'ann', 'ben', 'cleo')).toEqual([true, true, false]);
    expect(await patch(sale.id, { title: 'Another' })).toMatchObject({ ok: true, value: { audience: { accounts: ['ann', 'ben'] } } });
    expect(await members(sale.id, 'ann')).toEqual([true]);
    expect(await patch(sale.id, { audience: { accounts: ['cleo'] } })).toMatchObject({ ok: true, value: { audience: { accounts: ['cleo'] } } });
    expect(await members(sale.id, 'ann', 'cleo')).toEqual([false, true]);
    expect(await patch(sale.id, { audience: null })).toMatchObject({ ok: true, value: { audience: null } });
    expect(await members(sale.id, 'cleo')).toEqual([false]);
  });

  it('grows by lists while the sale is a draft, whatever is sent twice, and is kept as hashes only', async () => {
    const sale = await draft();
    const accounts = Array.from({ length: 10_000 }, (_, n) => `person-${n}`);
    const add = (list: string[], actor = merchant) => client.ask('add-audience', { actor, saleId: sale.id, accounts: list });
    expect(await add(accounts)).toEqual({ ok: true, value: { added: 10_000, duplicates: 0 } });
    expect(await add(['person-1', 'person-x'])).toEqual({ ok: true, value: { added: 1, duplicates: 1 } });
    expect(await patch(sale.id, { title: 'Another' })).toMatchObject({ ok: true, value: { audience: { accounts: [] } } });
    expect(await members(sale.id, 'person-0', 'person-9999', 'person-x', 'person-10000')).toEqual([true, true, true, false]);
    expect(await add(['x'], { accountId: 'merchant-2', roles: ['merchant'] })).toMatchObject({ code: 'NOT_FOUND' });
    expect(JSON.stringify(await service.get(Database).query('SELECT * FROM audience_member LIMIT 100'))).not.toContain('person');
    await approve(sale.id);
    expect(await add(['late'])).toMatchObject({ code: 'INVALID_TRANSITION', extra: { state: 'APPROVED' } });
    const { sales } = await client.ask('list-published', { cursor: null });
    expect(sales.find(({ saleId }) => saleId === sale.id)?.audience).toEqual({ byCode: false });
  });

  it('lets holders of a code in, each use once, in an order that gateways can follow', async () => {
    const sale = await draft({ accounts: ['ann'] });
    expect(await client.ask('add-audience-codes', { actor: merchant, saleId: sale.id, codes: [{ code: 'twice-only', uses: 2 }] })).toEqual({ ok: true, value: { added: 1, duplicates: 0 } });
    expect(await client.ask('add-audience-codes', { actor: merchant, saleId: sale.id, codes: [{ code: 'twice-only', uses: 9 }] })).toEqual({ ok: true, value: { added: 0, duplicates: 1 } });
    const join = (accountId: string, code = 'twice-only') => client.ask('join-audience', { saleId: sale.id, accountId, code });
    expect(await join('ben')).toMatchObject({ code: 'SALE_NOT_FOUND' });
    await approve(sale.id);
    expect(await join('ben', 'guessed')).toMatchObject({ code: 'NOT_ELIGIBLE' });
    // A member, and a guest who comes again, use nothing up.
    expect(await join('ann')).toMatchObject({ ok: true });
    const many = await Promise.all(['ben', 'ben', 'cleo', 'dan', 'eve'].map((accountId) => join(accountId)));
    const again = await Promise.all(['ben', 'ben', 'cleo', 'dan', 'eve'].map((accountId) => join(accountId)));
    const joined = ['ben', 'ben', 'cleo', 'dan', 'eve'].filter((_, n) => many[n]!.ok || again[n]!.ok);
    expect(new Set(joined).size).toBe(2);
    const first = await client.ask('list-guests', { saleId: sale.id, after: 0 });
    const secret = await secretOf(sale.id);
    expect(first.hashes.toSorted((a, b) => a - b)).toEqual([...new Set(joined)].map((account) => audienceHash(secret, account)).toSorted((a, b) => a - b));
    expect(await client.ask('list-guests', { saleId: sale.id, after: first.last })).toEqual({ hashes: [], last: first.last, more: false });
    expect(JSON.stringify(await service.get(Database).query('SELECT * FROM audience_code'))).not.toContain('twice-only');
  });
});
