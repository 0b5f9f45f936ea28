import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Actor, MessageBody, SaleView } from '@floodgate/contracts';
import { Database } from '@floodgate/platform';
import { eventually, startService, type RunningService } from '@floodgate/platform/testing';
import { AppModule } from '../app.module.js';
import { saleInput } from './sale.samples.js';

const merchant: Actor = { accountId: 'merchant-1', roles: ['merchant'] };
const approver: Actor = { accountId: 'approver-1', roles: ['approver'] };

let service: RunningService;
beforeAll(async () => { service = await startService((urls) => AppModule.with(urls)); }, 60_000);
afterAll(() => service.stop());

async function approved(): Promise<SaleView> {
  const input = saleInput({ opensAt: new Date(Date.now() - 1_000).toISOString(), closesAt: new Date(Date.now() + 600_000).toISOString() });
  const made = await service.client.ask('create-sale', { actor: merchant, input });
  if (!made.ok) throw new Error(made.detail);
  for (const [action, actor] of [['submit', merchant], ['approve', approver]] as const) {
    expect(await service.client.ask('move-sale', { actor, saleId: made.value.id, action, reason: null, nowMs: Date.now() })).toMatchObject({ ok: true });
  }
  return made.value;
}

const change = (sale: SaleView, changes: Partial<MessageBody<'stock.changed'>>): MessageBody<'stock.changed'> => ({
  saleId: sale.id, itemId: sale.items[0]!.id, changeId: randomUUID(), stockVersion: 1, quota: 7, quotaBefore: 5, accountId: 'operator-1', reason: 'found more', atMs: Date.now(), ...changes,
});
const logged = (saleId: string) => service.get(Database).query<{ account: string; reason: string; before: unknown; after: unknown }>(
  `SELECT account_id AS account, reason, before, after FROM audit_log WHERE subject = $1 AND action = 'change-stock' ORDER BY id`, [saleId]);
const quotaOf = async (saleId: string) => {
  const sale = await service.client.ask('get-sale', { actor: approver, saleId, nowMs: Date.now() });
  return sale.ok && sale.value.items[0]!.quota;
};

it('a changed quota is shown and published, with who changed it and why in the audit log, once', async () => {
  const sale = await approved();
  const first = change(sale, {});
  for (const message of [first, first]) await service.publisher.publish('stock.changed', message);
  await eventually(async () => expect(await quotaOf(sale.id)).toBe(7));
  await service.publisher.publish('stock.changed', change(sale, { stockVersion: 2, quota: 4, quotaBefore: 7 }));
  await eventually(async () => expect(await quotaOf(sale.id)).toBe(4));
  const itemId = sale.items[0]!.id;
  expect(await logged(sale.id)).toEqual([
    { account: 'operator-1', reason: 'found more', before: { stock: { itemId, quota: 5, stockVersion: 0 } }, after: { stock: { itemId, quota: 7, stockVersion: 1 } } },
    { account: 'operator-1', reason: 'found more', before: { stock: { itemId, quota: 7, stockVersion: 1 } }, after: { stock: { itemId, quota: 4, stockVersion: 2 } } },
  ]);
  const { sales } = await service.client.ask('list-published', { cursor: null });
  expect(sales.find(({ saleId }) => saleId === sale.id)!.items[0]).toMatchObject({ quota: 4, stockVersion: 2 });
});

it('changes that overtake each other are all in the log, and the newest counts', async () => {
  const sale = await approved();
  await service.publisher.publish('stock.changed', change(sale, { stockVersion: 2, quota: 9, quotaBefore: 7 }));
  await eventually(async () => expect(await quotaOf(sale.id)).toBe(9));
  await service.publisher.publish('stock.changed', change(sale, { stockVersion: 1, quota: 7 }));
  await eventually(async () => expect(await logged(sale.id)).toHaveLength(2));
  expect(await quotaOf(sale.id)).toBe(9);
});
