import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';

const patience = { timeoutMs: 60_000 };

describe('promise: money that comes late buys its units again, or goes back', () => {
  let platform: Platform;
  let api: Api;
  beforeAll(async () => {
    // A provider that takes the money of each payment although it has closed it.
    const misbehaviour = JSON.stringify({ captureAfterClose: 1, captureAfterCloseMs: 200 });
    platform = await startPlatform({ serviceEnv: async () => ({ 'sandbox-payment': { SANDBOX_MISBEHAVIOUR: misbehaviour } }) });
    api = new Api(platform.run);
  });
  afterAll(() => platform?.stop());

  /** By the clock that closes orders. The payment itself would stay open longer, so it is closed, and does not expire. */
  async function endTimeToPay(id: string): Promise<void> {
    const client = new Client({ connectionString: platform.run.postgres.url });
    await client.connect();
    try {
      await client.query('UPDATE orders.orders SET pay_by = clock_timestamp() WHERE rid = $1', [id]);
    } finally {
      await client.end();
    }
  }

  /** A buyer whose order ended unpaid, of a sale that is over by then, and whose open payment is captured after that. */
  async function paidLate(latePayment: 'refund' | 'reacquire') {
    const sale = await api.armedSale([{ quota: 1 }], { latePayment });
    const buyer = api.buyer();
    const { reservationId: id } = expectStatus(202, await buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }]));
    await buyer.until(id, ['ORDERED'], patience.timeoutMs);
    expectStatus(201, await buyer.startPayment(id));
    expectStatus(200, await api.admin('operator', 'POST', `/sales/${sale.id}/close`));
    await endTimeToPay(id);
    expect(await buyer.until(id, ['RELEASED'], patience.timeoutMs)).toMatchObject({ reason: 'payment-timeout' });
    const order = async (orderId: string) => expectStatus(200, await api.call('GET', `/v1/orders/${orderId}`, { token: buyer.token }));
    return { sale, buyer, id, order };
  }

  it('reacquired: a new order is paid although the sale has ended, and the old one leads to it', async () => {
    const { sale, buyer, id, order } = await paidLate('reacquire');
    await eventually(async () => expect(await order(id)).toMatchObject({ state: 'RELEASED', replacedBy: expect.any(String) }), patience);
    const { replacedBy } = await order(id);
    expect(await order(replacedBy)).toMatchObject({ state: 'PAID', replaces: id, items: [{ itemId: sale.items[0]!.id, quantity: 1 }] });
    expect(expectStatus(200, await buyer.reservation(replacedBy))).toMatchObject({ state: 'PAID', terminal: true });
    const mine = expectStatus(200, await api.call('GET', '/v1/me/orders', { token: buyer.token }));
    expect(mine.items.map((one: { id: string }) => one.id)).toEqual([replacedBy, id]);
    await eventually(async () => {
      expect(await api.audit(sale.id)).toMatchObject({ verdict: 'clean', items: [{ held: 0, sold: 1, available: 0, redisAvailable: 0 }], payments: { captured: 1, refunded: 0 } });
    }, patience);
  });

  it('refunded: the order stays released, and the money is back', async () => {
    const { sale, id, order } = await paidLate('refund');
    await eventually(async () => {
      expect(await api.audit(sale.id)).toMatchObject({ verdict: 'clean', items: [{ held: 0, sold: 0, available: 1, redisAvailable: 1 }], payments: { captured: 1, refunded: 1 } });
    }, patience);
    expect((await order(id)).replacedBy).toBeUndefined();
  });
});
