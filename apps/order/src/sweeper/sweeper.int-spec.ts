import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Shutdown } from '@floodgate/platform';
import { eventually } from '@floodgate/platform/testing';
import { OrderHarness, type Placed } from '../support/order.harness.js';
import { ClosingStore } from './closing.store.js';
import { OrderCloser } from './order.closer.js';
import { Sweeper } from './sweeper.js';

let harness: OrderHarness;
beforeAll(async () => {
  harness = await OrderHarness.start();
});
afterEach(() => {
  harness.provider.away = false;
  harness.provider.whileClosing = async () => undefined;
});
afterAll(() => harness.stop());

const passTime = (...orders: Placed[]) => harness.database.query('UPDATE orders SET pay_by = clock_timestamp() WHERE rid = ANY($1)', [orders.map((order) => order.rid)]);
const released = async (placed: Placed, free = 10) => {
  expect(await harness.state(placed)).toBe('CLOSED payment-timeout');
  expect(await harness.units(placed)).toEqual({ held: 0, sold: 0, free });
  expect(await harness.entries(placed)).toEqual(['HOLD', 'RELEASE']);
};

describe('an order whose time to pay is over', () => {
  it('is released, and the world is told', async () => {
    const placed = await harness.order();
    await passTime(placed);
    await eventually(() => released(placed));
    const { version } = await harness.row(placed);
    await eventually(() => {
      const told = harness.service.heard.flatMap(({ name, body }) => (name === 'order.closed' ? body.orders : [])).find((order) => order.rid === placed.rid);
      expect(told).toMatchObject({ state: 'RELEASED', reason: 'payment-timeout', version });
    });
  });

  it('is left alone before that', async () => {
    const [due, not] = [await harness.order(), await harness.order()];
    await passTime(due);
    await eventually(() => released(due));
    expect(await harness.state(not)).toBe('PENDING');
  });

  it('has its payment closed at the provider first', async () => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    let heldWhileAsked = 0;
    harness.provider.whileClosing = async () => {
      heldWhileAsked = (await harness.units(placed)).held;
    };
    await passTime(placed);
    await eventually(() => released(placed));
    expect([heldWhileAsked, harness.provider.payments.get(paymentId)?.state]).toEqual([1, 'closed']);
    expect(await harness.database.query('SELECT state FROM payment WHERE payment_id = $1', [paymentId])).toEqual([{ state: 'CLOSED' }]);
  });

  it('is paid if the money came while it was being closed', async () => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    harness.provider.whileClosing = async () => harness.provider.settle(paymentId, 'captured');
    await passTime(placed);
    await eventually(async () => expect(await harness.state(placed)).toBe('PAID'));
    expect(await harness.units(placed)).toEqual({ held: 0, sold: 1, free: 9 });
    expect(harness.provider.refunds).toEqual([]);
  });

  it('keeps its unit while the provider does not say, and is released when it does', async () => {
    const placed = await harness.order();
    await harness.payment(placed);
    harness.provider.away = true;
    await passTime(placed);
    await eventually(async () => {
      const [row] = await harness.database.query<{ attempts: number }>('SELECT close_attempts AS attempts FROM orders WHERE rid = $1', [placed.rid]);
      expect(row?.attempts).toBeGreaterThan(1);
    });
    expect(await harness.state(placed)).toBe('CLOSING payment-timeout');
    expect(await harness.units(placed)).toEqual({ held: 1, sold: 0, free: 9 });
    harness.provider.away = false;
    await eventually(() => released(placed));
  });

  it('is released though its payment never reached the provider, which takes no money for it afterwards', async () => {
    const placed = await harness.order();
    harness.provider.away = true;
    await harness.startPayment(placed);
    harness.provider.away = false;
    await passTime(placed);
    await eventually(() => released(placed));
    const [payment] = await harness.database.query<{ id: string }>('SELECT payment_id AS id FROM payment WHERE rid = $1', [placed.rid]);
    expect(harness.provider.payments.get(payment!.id)?.state).toBe('closed');
  });

  it('does not keep others from being closed when it cannot be', async () => {
    const sale = await harness.sale();
    const broken = await harness.order(sale);
    const others = [await harness.order(sale), await harness.order(sale)];
    await harness.database.query(`
      CREATE FUNCTION refuse_close() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'this order cannot be closed'; END $$;
      CREATE TRIGGER refuse_close BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.state = 'CLOSED' AND NEW.rid = '${broken.rid}') EXECUTE FUNCTION refuse_close();`);
    await passTime(broken, ...others);
    await eventually(async () => {
      for (const other of others) expect(await harness.state(other)).toBe('CLOSED payment-timeout');
    });
    expect(await harness.units(sale)).toEqual({ held: 1, sold: 0, free: 9 });
    await harness.database.query('DROP TRIGGER refuse_close ON orders');
    await eventually(() => released(broken));
  });
});

describe('sweepers', () => {
  it('may be many at once: every unit comes back once', async () => {
    const sale = await harness.sale({}, 60);
    const orders: Placed[] = [];
    while (orders.length < 60) orders.push(await harness.order(sale));
    await Promise.all(orders.slice(0, 20).map((placed) => harness.payment(placed)));
    const sweepers = Array.from({ length: 4 }, () =>
      new Sweeper(harness.database, harness.orders, harness.service.get(ClosingStore), harness.service.get(OrderCloser), new Shutdown()));
    await passTime(...orders);
    await Promise.all(sweepers.map((sweeper) => sweeper.tick()));
    await eventually(async () => {
      for (const placed of orders) await released(placed, 60);
    });
  });
});
