import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@floodgate/platform/testing';
import { OrderHarness, type Placed } from '../support/order.harness.js';
import { pageMax } from './withdraw-sale.job.js';

let at: OrderHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
}, 30_000);
afterAll(() => at.stop());

const progress = (saleId: string, accountId = 'o', role = 'operator') => at.service.client.ask('get-withdrawal', { actor: { accountId, roles: [role] }, saleId });

async function pay(placed: Placed): Promise<void> {
  const { paymentId } = await at.payment(placed);
  at.provider.settle(paymentId, 'captured');
  await at.database.transaction(async (tx) => {
    await at.saga.markPaid(tx, placed.saleId, placed.rid);
    await tx.query(`UPDATE payment SET state = 'CAPTURED', pays = true WHERE payment_id = $1`, [paymentId]);
  });
}

describe('withdrawing a sale', () => {
  it('closes what is open, also while a payment is, refunds what is paid, and refuses what comes later', async () => {
    const sale = await at.sale({}, 10);
    const [open, paying, paid, fulfilled, released] = [await at.order(sale), await at.order(sale), await at.order(sale), await at.order(sale), await at.order(sale)];
    await at.payment(paying);
    for (const order of [paid, fulfilled]) await pay(order);
    await at.database.transaction((tx) => at.orders.fulfil(tx, sale.saleId, [fulfilled.rid]));
    await at.database.transaction((tx) => at.saga.closeOrders(tx, sale.saleId, [released.rid], 'cancelled-by-buyer'));
    const parked = at.reserved(sale);
    await at.database.transaction((tx) => at.saga.park(tx, sale.saleId, 0, [parked.reservation]));

    await at.service.publisher.publish('sale.changed', { saleId: sale.saleId, version: 9, state: 'WITHDRAWN' });
    await eventually(async () => {
      for (const order of [open, paying, paid, fulfilled, parked]) expect(await at.state(order)).toBe('CLOSED sale-withdrawn');
    }, 20_000);
    expect(await at.state(released)).toBe('CLOSED cancelled-by-buyer');
    expect(at.provider.refunds).toHaveLength(2);
    expect(await at.entries(fulfilled)).toEqual(['HOLD', 'SELL', 'RELEASE']);
    expect(await at.entries(paid)).toEqual(['HOLD', 'SELL', 'RELEASE']);
    expect(await at.units(sale)).toEqual({ held: 0, sold: 0, free: 10 });

    const late = at.reserved(sale);
    await at.service.publisher.publish('place-order', { saleId: sale.saleId, lane: 0, epoch: 1, reservations: [late.reservation] });
    await eventually(async () => expect(await at.state(late)).toBe('CLOSED sale-withdrawn'));
    await eventually(async () => expect(await at.database.query('SELECT withdrawal_done AS done FROM sale WHERE sale_id = $1', [sale.saleId])).toEqual([{ done: true }]));
    expect(await progress(sale.saleId)).toMatchObject({ ok: true, value: { open: 0, refunding: 0, closed: 7, total: 7, done: true } });
  }, 40_000);

  it('goes on page by page around an order that cannot go, says how far it is, and takes that one too when it can', async () => {
    const count = pageMax + 40;
    const sale = await at.sale({}, count);
    const orders = Array.from({ length: count }, () => at.reserved(sale));
    await at.database.transaction((tx) => at.saga.place(tx, sale.saleId, 0, orders.map((order) => order.reservation)));
    expect(await progress(sale.saleId)).toMatchObject({ ok: false, code: 'INVALID_TRANSITION' });
    const stubborn = orders.map((order) => order.rid).sort((a, b) => (a < b ? -1 : 1)).at(-20)!;
    await at.database.query(`
      CREATE FUNCTION refuse_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'this order stays'; END $$;
      CREATE TRIGGER refuse_withdrawal BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.state = 'CLOSED' AND NEW.rid = '${stubborn}') EXECUTE FUNCTION refuse_withdrawal();`);
    await at.service.publisher.publish('sale.changed', { saleId: sale.saleId, version: 9, state: 'WITHDRAWN' });
    await eventually(async () => expect(await progress(sale.saleId)).toMatchObject({ value: { open: 1, refunding: 0, closed: count - 1, total: count, done: false } }), 60_000);
    await at.database.query('DROP TRIGGER refuse_withdrawal ON orders');
    await eventually(async () => expect(await progress(sale.saleId)).toMatchObject({ value: { open: 0, closed: count, done: true } }));
    expect(await at.units(sale)).toEqual({ held: 0, sold: 0, free: count });
  }, 120_000);

  it('is nobody else\'s to look at', async () => {
    const sale = await at.sale();
    for (const [accountId, role] of [['somebody-else', 'merchant'], ['o', 'buyer']] as const) expect(await progress(sale.saleId, accountId, role)).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    expect(await progress('none')).toMatchObject({ ok: false, code: 'NOT_FOUND' });
  });
});
