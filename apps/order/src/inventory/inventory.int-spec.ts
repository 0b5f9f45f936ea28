import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { OrderHarness } from '../support/order.harness.js';

let at: OrderHarness;
beforeAll(async () => { at = await OrderHarness.start(); }, 60_000);
afterAll(() => at.stop());

const actor = { accountId: 'operator', roles: ['operator'] };

it('an operator who writes stock down below what orders have releases none of them: it shows as short, and refuses new ones', async () => {
  const sale = await at.sale();
  const skuId = sale.items[0]!.skuId;
  const [paid, open] = [await at.order(sale), await at.order(sale)];
  await at.database.transaction((tx) => at.saga.markPaid(tx, sale.saleId, paid.rid));
  expect(await at.service.client.ask('get-inventory', { skuId })).toEqual({ ok: true, value: { skuId, units: 10, taken: 2, short: 0 } });
  expect(await at.service.client.ask('set-inventory', { actor, skuId, units: 1 })).toEqual({ ok: true, value: { skuId, units: 1, taken: 2, short: 1 } });
  expect([await at.state(paid), await at.state(open)]).toEqual(['PAID', 'PENDING']);
  const late = at.reserved(sale);
  await at.database.transaction((tx) => at.saga.place(tx, sale.saleId, 0, [late.reservation]));
  expect(await at.state(late)).toBe('CLOSED out-of-inventory');
  expect(await at.entries(late)).toEqual(['HOLD', 'RELEASE']);
  await at.service.client.ask('set-inventory', { actor, skuId, units: 3 });
  const next = await at.order(sale);
  expect(await at.state(next)).toBe('PENDING');
});
