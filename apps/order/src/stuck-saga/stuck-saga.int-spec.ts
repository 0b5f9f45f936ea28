import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { StuckSagaView } from '@floodgate/contracts';
import { metrics } from '@floodgate/platform';
import { eventually } from '@floodgate/platform/testing';
import { ReacquisitionStore } from '../reacquire/reacquisition.store.js';
import { OrderHarness, type Placed } from '../support/order.harness.js';
import { stuckKinds } from './stuck-saga.store.js';
import { StuckSagaGauge } from './stuck-saga.gauge.js';

let at: OrderHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
});
beforeEach(() => { at.provider.away = false; });
afterAll(() => at.stop());

async function list(limit = 100, cursor: string | null = null): Promise<{ items: StuckSagaView[]; nextCursor: string | null }> {
  const answer = await at.service.client.ask('list-stuck-sagas', { limit, cursor });
  if (!answer.ok) throw new Error(answer.detail);
  return answer.value;
}

const entryOf = async ({ rid }: Placed) => (await list()).items.find(({ orderId }) => orderId === rid);

/** An order of each kind, which does not get any further while the provider is away. */
const stuck = {
  closing: async () => {
    at.provider.away = false;
    const placed = await at.order();
    await at.payment(placed);
    at.provider.away = true;
    await at.database.query('UPDATE orders SET pay_by = clock_timestamp() WHERE rid = $1', [placed.rid]);
    return placed;
  },
  refunding: async () => {
    at.provider.away = false;
    const placed = await at.order();
    const { paymentId } = await at.payment(placed);
    at.provider.settle(paymentId, 'captured');
    at.provider.away = true;
    await at.database.transaction(async (tx) => {
      await at.saga.markPaid(tx, placed.saleId, placed.rid);
      await tx.query(`UPDATE payment SET state = 'CAPTURED', pays = true WHERE payment_id = $1`, [paymentId]);
      await at.orders.startRefunding(tx, placed.saleId, [placed.rid], 'sale-withdrawn');
    });
    return placed;
  },
  // Nobody is behind the reserve door here.
  reacquiring: async () => {
    const placed = await at.orderIn('CLOSED', { sale: await at.sale({ latePayment: 'reacquire' }) });
    const paymentId = `pay-${randomUUID()}`;
    await at.database.transaction(async (tx) => {
      await tx.query(
        `INSERT INTO payment (payment_id, sale_id, rid, provider, amount, currency, state) VALUES ($1, $2, $3, 'sandbox', 250, 'GBP', 'CAPTURED')`, [paymentId, placed.saleId, placed.rid]);
      await at.service.get(ReacquisitionStore).decide(tx, placed.saleId, [{ paymentId, rid: placed.rid }]);
    });
    return placed;
  },
  parked: () => at.orderIn('STUCK'),
} as const satisfies Record<(typeof stuckKinds)[number], () => Promise<Placed>>;

describe('a saga that does not get any further', () => {
  it.each(['closing', 'refunding'] as const)('is listed while it is %s, tried again and again, and ends when it can', async (kind) => {
    const placed = await stuck[kind]();
    await eventually(async () => {
      const entry = await entryOf(placed);
      expect(entry).toMatchObject({ kind, saleId: placed.saleId, orderState: kind.toUpperCase(), lastError: expect.stringContaining('away') });
      expect(entry!.attempts).toBeGreaterThan(1);
      expect(Date.parse(entry!.nextAttemptAt!)).toBeGreaterThan(Date.parse(entry!.since));
    });
    at.provider.away = false;
    await eventually(async () => expect((await at.row(placed)).state).toBe('CLOSED'));
    await eventually(async () => expect(await entryOf(placed)).toBeUndefined());
  }, 60_000);

  it('is listed while its late money waits for its units', async () => {
    const placed = await stuck.reacquiring();
    await eventually(async () => {
      expect(await entryOf(placed)).toMatchObject({ kind: 'reacquiring', orderState: 'CLOSED', reason: 'payment-timeout', paymentId: expect.any(String), lastError: expect.any(String) });
    });
  });

  it('is listed while it is parked, with what its dead letter says', async () => {
    const placed = await stuck.parked();
    await at.database.query(
      `INSERT INTO dead_letter (id, queue, name, message_id, body, reason, first_error, last_error, attempts, reservation_ids, close_at, occurred_at)
       VALUES ($1, 'order.place-order', 'place-order', $1, '', 'attempts-exhausted', 'first', 'it cannot be', 8, $2, clock_timestamp() + interval '1 hour', clock_timestamp())`,
      [`dl-${randomUUID()}`, [placed.rid]]);
    expect(await entryOf(placed)).toMatchObject({ kind: 'parked', orderState: 'STUCK', attempts: 8, lastError: 'it cannot be', nextAttemptAt: expect.any(String) });
    await at.cancel(placed);
    expect(await entryOf(placed)).toBeUndefined();
  });

  it('is counted by kind and age', async () => {
    for (const kind of stuckKinds) await stuck[kind]();
    await eventually(async () => {
      await at.service.get(StuckSagaGauge).tick();
      const text = await metrics.metrics();
      for (const kind of stuckKinds) {
        expect(Number(new RegExp(`floodgate_sagas_stuck\\{[^}]*kind="${kind}"[^}]*\\} (\\S+)`).exec(text)?.[1])).toBeGreaterThan(0);
        expect(Number(new RegExp(`floodgate_saga_stuck_oldest_seconds\\{[^}]*kind="${kind}"[^}]*\\} (\\S+)`).exec(text)?.[1])).toBeGreaterThan(0);
      }
    });
  });

  it.each(['closing', 'refunding'] as const)('waits no longer than the cap before the next try while it is %s, however often it failed', async (kind) => {
    const placed = await stuck[kind]();
    await eventually(async () => expect((await entryOf(placed))?.attempts).toBeGreaterThan(0));
    await at.database.query('UPDATE orders SET close_attempts = 1000, next_attempt_at = clock_timestamp() WHERE rid = $1', [placed.rid]);
    await at.database.query('UPDATE refund SET attempts = 1000, next_attempt_at = clock_timestamp() WHERE rid = $1', [placed.rid]);
    await eventually(async () => expect((await entryOf(placed))?.attempts).toBeGreaterThan(1_000));
    const { nextAttemptAt } = (await entryOf(placed))!;
    expect(Date.parse(nextAttemptAt!) - Date.now()).toBeLessThan(120_000);
  });

  it('comes page by page, the oldest first, each once', async () => {
    at.provider.away = true;
    for (let n = 0; n < 5; n++) await stuck.parked();
    const whole = (await list()).items.map(({ orderId, paymentId }) => `${orderId} ${paymentId}`);
    const paged: string[] = [];
    for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
      const page = await list(2, cursor);
      paged.push(...page.items.map(({ orderId, paymentId }) => `${orderId} ${paymentId}`));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(whole);
    expect(await at.service.client.ask('list-stuck-sagas', { limit: 2, cursor: 'made up' })).toMatchObject({ ok: false, code: 'INVALID_REQUEST' });
  });
});

describe('one that cannot be judged', () => {
  it('does not keep its company from being closed', async () => {
    const sale = await at.sale();
    const [poison, ...others] = await Promise.all(Array.from({ length: 4 }, () => at.order(sale)));
    const { paymentId } = await at.payment(poison!);
    for (const other of others) await at.payment(other);
    at.provider.settle(paymentId, 'declined');
    await at.database.query(`
      CREATE FUNCTION refuse_judging() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'nobody can judge this'; END $$;
      CREATE TRIGGER refuse_judging BEFORE INSERT ON payment_event FOR EACH ROW WHEN (NEW.payment_id = '${paymentId}') EXECUTE FUNCTION refuse_judging();`);
    await at.database.query('UPDATE orders SET pay_by = clock_timestamp() WHERE sale_id = $1', [sale.saleId]);
    await eventually(async () => { for (const other of others) expect(await at.state(other)).toBe('CLOSED payment-timeout'); });
    await eventually(async () => expect(await entryOf(poison!)).toMatchObject({ kind: 'closing', lastError: expect.stringContaining('nobody can judge this') }));
    await at.database.query('DROP TRIGGER refuse_judging ON payment_event');
    await eventually(async () => expect((await at.row(poison!)).state).toBe('CLOSED'));
  });
});
