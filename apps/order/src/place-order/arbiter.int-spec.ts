import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PurchaseFixture } from '../support/purchase.fixture.js';

let at: PurchaseFixture;
beforeAll(async () => {
  at = await PurchaseFixture.start();
});
afterAll(() => at.drop());

describe('the arbiter', () => {
  it('makes an order of a reservation: row, ledger, counters, inventory and messages together', async () => {
    const sale = await at.sale({ items: [{ quota: 5, price: 199 }] });
    const reservation = at.reservation(sale, { quantity: 2 });
    const [order] = await at.place(sale, [reservation]);
    expect(order).toMatchObject({ rid: reservation.rid, state: 'PENDING', version: 1, amount: 398, currency: 'GBP', number: reservation.number });
    expect(order!.payBy!.getTime() - order!.createdAt.getTime()).toBe(600_000);
    expect(await at.orders.find(reservation.rid)).toEqual(order);
    expect(await at.counters(sale)).toEqual({ held: 2, sold: 0, free: 3, taken: 2 });
    expect(await at.entries(sale, reservation.rid)).toEqual(['HOLD 2']);
    expect(await at.said('sync-stock', sale)).toEqual([{ saleId: sale, lane: 0, rows: [{ ...reservation, version: 1, holds: true, settled: false }] }]);
    expect(await at.said('order.created', sale)).toMatchObject([{ orders: [{ rid: reservation.rid, state: 'ORDERED', amount: 398, payByMs: order!.payBy!.getTime() }] }]);
  });

  it('judges each reservation once, however often and in whatever order it comes', async () => {
    const sale = await at.sale({ items: [{ quota: 3 }] });
    const all = [1, 2, 3, 4].map(() => at.reservation(sale));
    const [a, b, c, d] = all as [typeof all[0], typeof all[0], typeof all[0], typeof all[0]];
    await at.place(sale, [c, c, a]);
    await at.place(sale, [a, b, c, d, b]);
    await at.place(sale, [d, c, b, a]);
    expect(await at.fates([a, b, c, d])).toEqual(['PENDING', 'PENDING', 'PENDING', 'CLOSED order-rejected']);
    expect(await at.counters(sale)).toEqual({ held: 3, sold: 0, free: 0, taken: 3 });
    expect((await at.said('order.created', sale)).flatMap((message) => message.orders)).toHaveLength(3);
    expect(await at.said('order.closed', sale)).toMatchObject([{ orders: [{ rid: d.rid, reason: 'order-rejected', version: 1 }] }]);
  });

  it('gives all items or none, and what one cannot have, the next one may', async () => {
    const sale = await at.sale({ items: [{ quota: 5 }, { quota: 1 }] });
    const both = (quantity: number) => at.reservation(sale, { items: [{ itemId: `${sale}-1`, quantity: 1 }, { itemId: `${sale}-2`, quantity }] });
    const all = [both(2), both(1), both(1), at.reservation(sale, { quantity: 4 })];
    await at.place(sale, all);
    expect(await at.fates(all)).toEqual(['CLOSED order-rejected', 'PENDING', 'CLOSED order-rejected', 'PENDING']);
    expect(await at.counters(sale)).toMatchObject({ held: 5, free: 0 });
    expect(await at.counters(sale, 2)).toMatchObject({ held: 1, free: 0 });
    expect(await at.entries(sale, all[0]!.rid)).toEqual([]);
  });

  it('keeps the limits per account, of the item and of the sale, over batches and after releases', async () => {
    const sale = await at.sale({ items: [{ perAccount: 2 }, {}], perAccount: 3 });
    const of = (accountId: string, item: number, quantity: number) => at.reservation(sale, { accountId, items: [{ itemId: `${sale}-${item}`, quantity }] });
    const all = [of('ann', 1, 2), of('ann', 1, 1), of('ann', 2, 1), of('ann', 2, 1), of('bob', 2, 4), of('bob', 2, 3)];
    await at.place(sale, all.slice(0, 3));
    await at.place(sale, all.slice(3));
    expect(await at.fates(all)).toEqual(['PENDING', 'CLOSED order-rejected', 'PENDING', 'CLOSED order-rejected', 'CLOSED order-rejected', 'PENDING']);
    await at.close(sale, [all[0]!.rid]);
    const again = [of('ann', 1, 2), of('ann', 1, 1)];
    await at.place(sale, again);
    expect(await at.fates(again)).toEqual(['PENDING', 'CLOSED order-rejected']);
  });

  it('refuses what the warehouse does not have, and gives those units back', async () => {
    const sale = await at.sale({ items: [{ quota: 4, inventory: 2 }] });
    const all = [1, 2, 3].map(() => at.reservation(sale));
    await at.place(sale, all);
    expect(await at.fates(all)).toEqual(['PENDING', 'PENDING', 'CLOSED out-of-inventory']);
    expect(await at.entries(sale, all[2]!.rid)).toEqual(['HOLD 1', 'RELEASE 1']);
    expect(await at.counters(sale)).toEqual({ held: 2, sold: 0, free: 2, taken: 2 });
    expect((await at.said('sync-stock', sale)).flatMap((message) => message.rows).filter((row) => !row.holds).map((row) => row.rid)).toEqual([all[2]!.rid]);
  });

  it('closes what comes after a withdrawal', async () => {
    const sale = await at.sale();
    await at.tx((tx) => at.sales.change(tx, sale, 2, 'WITHDRAWN'));
    const reservation = at.reservation(sale);
    await at.place(sale, [reservation]);
    expect(await at.fates([reservation])).toEqual(['CLOSED sale-withdrawn']);
    expect(await at.counters(sale)).toMatchObject({ held: 0, taken: 0 });
  });

  it('finds the fate of a cancelled reservation decided', async () => {
    const sale = await at.sale();
    const reservation = at.reservation(sale);
    const cancel = () => at.tx((tx) => at.saga.tombstone(tx, sale, 0, reservation, 'cancelled-by-buyer'));
    expect(await cancel()).toBe('written');
    expect(await cancel()).toBe('existed');
    await at.place(sale, [reservation]);
    expect(await at.fates([reservation])).toEqual(['CLOSED cancelled-by-buyer']);
    expect(await at.counters(sale)).toMatchObject({ held: 0, taken: 0 });
    expect((await at.said('sync-stock', sale)).flatMap((message) => message.rows)).toMatchObject([{ version: 1, holds: false, settled: true }]);
  });

  it('parks what a dead letter leaves behind, holding; a replay brings it on its way, a close gives it back', async () => {
    const sale = await at.sale({ items: [{ quota: 2 }] });
    const [replayed, closed, short] = [at.reservation(sale), at.reservation(sale), at.reservation(sale)];
    const senseless = at.reservation(sale, { items: [{ itemId: `${sale}-9`, quantity: 1 }] });
    const result = await at.tx((tx) => at.saga.park(tx, sale, 0, [replayed, closed, short, senseless]));
    expect(result).toEqual({ parked: [replayed.rid, closed.rid], rejected: [short.rid, senseless.rid] });
    expect(await at.counters(sale)).toEqual({ held: 2, sold: 0, free: 0, taken: 2 });
    await at.place(sale, [replayed]);
    await at.close(sale, [closed.rid], 'order-rejected');
    expect(await at.fates([replayed, closed, short, senseless])).toEqual(['PENDING', 'CLOSED order-rejected', 'CLOSED order-rejected', 'CLOSED order-rejected']);
    expect((await at.orders.find(replayed.rid))!.payBy).not.toBeNull();
    expect(await at.counters(sale)).toEqual({ held: 1, sold: 0, free: 1, taken: 1 });
  });

  it('writes nothing where one of them cannot be processed, or the sale has not arrived', async () => {
    const sale = await at.sale();
    const [good, poison] = [at.reservation(sale), at.reservation(sale, { items: [{ itemId: `${sale}-9`, quantity: 1 }] })];
    await expect(at.place(sale, [good, poison])).rejects.toThrow(`has no item ${sale}-9`);
    await expect(at.place('Unknown', [at.reservation('Unknown')])).rejects.toThrow('has not arrived yet');
    expect(await at.fates([good])).toEqual(['none']);
    expect(await at.counters(sale)).toMatchObject({ held: 0, taken: 0 });
  });

  it('is one judge per lane, however many consumers there are', async () => {
    const sale = await at.sale({ items: [{ quota: 40 }, { quota: 25 }], perAccount: 2 });
    const all = Array.from({ length: 120 }, (_, n) => at.reservation(sale, {
      accountId: `account-${n % 50}`, items: n % 3 === 0 ? [{ itemId: `${sale}-1`, quantity: 1 }, { itemId: `${sale}-2`, quantity: 1 }] : [{ itemId: `${sale}-${1 + (n % 2)}`, quantity: 1 }],
    }));
    const chunks = Array.from({ length: 24 }, (_, n) => [...all.slice(n * 5, n * 5 + 5), ...all.slice(((n * 7) % 24) * 5, ((n * 7) % 24) * 5 + 5)]);
    await Promise.all(chunks.map((chunk) => at.place(sale, chunk)));
    const live = (await at.fates(all)).filter((fate) => fate === 'PENDING').length;
    const [first, second] = [await at.counters(sale), await at.counters(sale, 2)];
    expect(first.free).toBeGreaterThanOrEqual(0);
    expect(second.free).toBeGreaterThanOrEqual(0);
    const rows = await at.database.query<{ units: number; accounts: number }>(
      `SELECT sum(units)::int AS units, count(*) FILTER (WHERE units > 2)::int AS accounts FROM account_usage WHERE sale_id = $1`, [sale]);
    expect(rows[0]).toEqual({ units: first.held + second.held, accounts: 0 });
    expect((await at.said('order.created', sale)).flatMap((message) => message.orders)).toHaveLength(live);
  });
});
