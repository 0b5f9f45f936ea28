import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sqlState } from '@floodgate/platform';
import { RefundStore } from '../payment/refund.store.js';
import { PurchaseFixture } from '../support/purchase.fixture.js';

let at: PurchaseFixture;
let sale: string;
beforeAll(async () => {
  at = await PurchaseFixture.start();
  sale = await at.sale({ items: [{ quota: 5 }] });
});
afterAll(() => at.drop());

const refusal = (statement: string, values: unknown[]) => at.database.query(statement, values).then(() => 'accepted', (error: unknown) => sqlState(error));

async function order(): Promise<string> {
  const reservation = at.reservation(sale);
  await at.place(sale, [reservation]);
  return reservation.rid;
}

async function payment(rid: string, state: string, pays = false): Promise<string> {
  const paymentId = `pay-${randomUUID()}`;
  await at.database.query(
    `INSERT INTO payment (payment_id, sale_id, rid, provider, amount, currency, state, pays) VALUES ($1, $2, $3, 'sandbox', 250, 'GBP', $4, $5)`, [paymentId, sale, rid, state, pays]);
  return paymentId;
}

const duplicate = (paymentId: string) => `INSERT INTO payment (payment_id, sale_id, rid, provider, amount, currency, state, pays)
  SELECT payment_id || '-2', sale_id, rid, provider, amount, currency, state, pays FROM payment WHERE payment_id = '${paymentId}'`;

// Code comes before these and knows better; they stand for the day when it does not.
describe('what Postgres itself refuses', () => {
  it('more units held than there are, or fewer than none', async () => {
    for (const counters of ['held = allotment + 1', 'sold = allotment - held + 1', 'burned = allotment - held - sold + 1', 'held = -1']) {
      expect(await refusal(`UPDATE lane_item SET ${counters} WHERE sale_id = $1`, [sale])).toBe('23514');
    }
  });

  it('a second open payment of an order, and a second one that it stands for', async () => {
    expect(await refusal(duplicate(await payment(await order(), 'OPEN')), [])).toBe('23505');
    expect(await refusal(duplicate(await payment(await order(), 'CAPTURED', true)), [])).toBe('23505');
  });
});

describe('a refund that is asked for by several at once', () => {
  it('is one refund', async () => {
    const paymentId = await payment(await order(), 'CAPTURED');
    const refunds = new RefundStore(at.database);
    await Promise.all(Array.from({ length: 8 }, (_, n) => at.tx((tx) => refunds.request(tx, [paymentId], `for reason ${n}`))));
    expect(await at.database.query('SELECT state FROM refund WHERE payment_id = $1', [paymentId])).toEqual([{ state: 'WAITING' }]);
  });
});
