import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@floodgate/platform/testing';
import { OrderHarness } from '../support/order.harness.js';

let at: OrderHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
}, 30_000);
afterAll(() => at.stop());

describe('withdrawing a sale', () => {
  it('closes what is open, also while a payment is, refunds what is paid, and refuses what comes later', async () => {
    const sale = await at.sale({}, 10);
    const [open, paying, paid, released] = [await at.order(sale), await at.order(sale), await at.order(sale), await at.order(sale)];
    await at.payment(paying);
    const payment = await at.payment(paid);
    at.provider.settle(payment.paymentId, 'captured');
    await at.database.transaction(async (tx) => {
      await at.saga.markPaid(tx, sale.saleId, paid.rid);
      await tx.query(`UPDATE payment SET state = 'CAPTURED', pays = true WHERE payment_id = $1`, [payment.paymentId]);
      await at.saga.closeOrders(tx, sale.saleId, [released.rid], 'cancelled-by-buyer');
    });
    const parked = at.reserved(sale);
    await at.database.transaction((tx) => at.saga.park(tx, sale.saleId, 0, [parked.reservation]));

    await at.service.publisher.publish('sale.changed', { saleId: sale.saleId, version: 9, state: 'WITHDRAWN' });
    await eventually(async () => {
      for (const order of [open, paying, paid, parked]) expect(await at.state(order)).toBe('CLOSED sale-withdrawn');
    }, 20_000);
    expect(await at.state(released)).toBe('CLOSED cancelled-by-buyer');
    expect(at.provider.refunds).toHaveLength(1);
    expect(await at.entries(paid)).toEqual(['HOLD', 'SELL', 'RELEASE']);
    expect(await at.units(sale)).toEqual({ held: 0, sold: 0, free: 10 });

    const late = at.reserved(sale);
    await at.service.publisher.publish('place-order', { saleId: sale.saleId, lane: 0, epoch: 1, reservations: [late.reservation] });
    await eventually(async () => expect(await at.state(late)).toBe('CLOSED sale-withdrawn'));
    await eventually(async () => expect(await at.database.query('SELECT withdrawal_done AS done FROM sale WHERE sale_id = $1', [sale.saleId])).toEqual([{ done: true }]));
  }, 40_000);
});
