import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Reservation, SaleDocument } from '@floodgate/contracts';
import { eventually } from '@floodgate/platform/testing';
import { OrderHarness } from '../support/order.harness.js';

let at: OrderHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
}, 30_000);
afterAll(() => at.stop());

const publish = (sale: Pick<SaleDocument, 'saleId'>, reservations: Reservation[], messageId?: string) =>
  at.service.publisher.publish('place-order', { saleId: sale.saleId, lane: 0, epoch: 1, reservations }, messageId ? { messageId } : {});
const states = (reservations: Reservation[]) => Promise.all(reservations.map(({ rid }) => at.orders.find(rid).then((row) => row?.state ?? 'none')));
const reserve = (sale: SaleDocument, count: number) => Array.from({ length: count }, () => at.reserved(sale).reservation);

describe('place-order', () => {
  it('makes every reservation an order, of several sales at once, and tells of them', async () => {
    const sales = [await at.sale({}, 500), await at.sale({}, 500)];
    const reservations = sales.map((sale) => reserve(sale, 300));
    await Promise.all([0, 1].flatMap((n) => [0, 100, 200].map((from) => publish(sales[n]!, reservations[n]!.slice(from, from + 100)))));
    await eventually(async () => {
      for (const sale of sales) expect(await at.units(sale)).toEqual({ held: 300, sold: 0, free: 200 });
    });
    await eventually(() => {
      const told = at.service.heard.filter((message) => message.name === 'order.created').flatMap((message) => (message.body as { orders: { rid: string }[] }).orders.map((order) => order.rid));
      expect(new Set(told)).toEqual(new Set(reservations.flat().map(({ rid }) => rid)));
    });
  });

  it('bears the same message five times', async () => {
    const sale = await at.sale({}, 10);
    const reservations = reserve(sale, 4);
    await Promise.all([1, 2, 3, 4, 5].map(() => publish(sale, reservations, `same-${sale.saleId}`)));
    await eventually(async () => expect(await states(reservations)).toEqual(['PENDING', 'PENDING', 'PENDING', 'PENDING']));
    await eventually(async () => expect(await at.service.client.ask('count-unjudged', {})).toEqual({ placeOrderMessages: 0 }));
    expect(await at.units(sale)).toEqual({ held: 4, sold: 0, free: 6 });
  });

  it('makes orders of the neighbours of one that cannot be processed, whose fate a dead letter decides', async () => {
    const sale = await at.sale({}, 10);
    const neighbours = reserve(sale, 6);
    const poison = { ...at.reserved(sale).reservation, items: [{ itemId: `${sale.saleId}-9`, quantity: 1 }] };
    await publish(sale, [...neighbours.slice(0, 3), poison, ...neighbours.slice(3)]);
    await eventually(async () => expect(await states(neighbours)).toEqual(neighbours.map(() => 'PENDING')));
    await eventually(async () => expect(await at.state(poison)).toBe('CLOSED order-rejected'));
    expect(await at.units(sale)).toEqual({ held: 6, sold: 0, free: 4 });
  });

  it('waits for the sale, should its reservations be faster', async () => {
    const first = await at.sale();
    const saleId = `L${first.saleId}`.slice(0, 10);
    const sale = { ...first, saleId, items: [{ ...first.items[0]!, itemId: `${saleId}-1` }] };
    const reservations = reserve(sale, 3);
    await publish(sale, reservations);
    await at.service.publisher.publish('sale.approved', sale);
    await eventually(async () => expect(await states(reservations)).toEqual(['PENDING', 'PENDING', 'PENDING']));
  });
});
