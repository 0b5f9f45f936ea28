import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sqlState } from '@floodgate/platform';
import { PurchaseFixture } from '../support/purchase.fixture.js';
import { firstStates, orderStates, orderTransitions, type OrderState } from './order.transitions.js';

let at: PurchaseFixture;
let saleId: string;
beforeAll(async () => {
  at = await PurchaseFixture.start();
  saleId = await at.sale();
});
afterAll(() => at.drop());

const hasReason = (state: OrderState) => ['CLOSING', 'REFUNDING', 'CLOSED'].includes(state);
/** The ways to each state, so that a row can be brought there through the front door. */
const ways: Record<OrderState, OrderState[]> = {
  PENDING: ['PENDING'], CLOSING: ['PENDING', 'CLOSING'], STUCK: ['STUCK'], PAID: ['PENDING', 'PAID'],
  FULFILLED: ['PENDING', 'PAID', 'FULFILLED'], REFUNDING: ['PENDING', 'PAID', 'REFUNDING'], CLOSED: ['CLOSED'],
};

async function insert(state: OrderState, version = 1): Promise<string> {
  const { rid } = at.reservation(saleId);
  await at.database.query(
    `INSERT INTO orders (sale_id, rid, lane, account_id, ip_hash, number, items, state, reason, version, amount, currency, reserved_at, created_at, updated_at)
     VALUES ($1, $2, 0, 'a', '', 1, '[]', $3, $4, $5, 0, 'GBP', now(), now(), now())`, [saleId, rid, state, hasReason(state) ? 'payment-timeout' : null, version]);
  return rid;
}

const update = (rid: string, to: OrderState, versionStep = 1) => at.database.query(
  'UPDATE orders SET state = $3, reason = $4, version = version + $5 WHERE sale_id = $1 AND rid = $2', [saleId, rid, to, hasReason(to) ? 'payment-timeout' : null, versionStep]);

async function inState(state: OrderState): Promise<string> {
  const [first, ...rest] = ways[state] as [OrderState, ...OrderState[]];
  const rid = await insert(first);
  for (const next of rest) await update(rid, next);
  return rid;
}

const verdict = (work: Promise<unknown>) => work.then(() => 'accepted', (error: unknown) => sqlState(error));

describe('the table of transitions and the trigger', () => {
  it.each(orderStates.flatMap((from) => orderStates.filter((to) => to !== from).map((to) => [from, to] as const)))('agree on %s → %s', async (from, to) => {
    const allowed = (orderTransitions[from] as readonly string[]).includes(to);
    expect(await verdict(update(await inState(from), to))).toBe(allowed ? 'accepted' : 'FG011');
  });

  it.each(orderStates)('agree on %s as a first state', async (state) => {
    expect(await verdict(insert(state))).toBe((firstStates as readonly string[]).includes(state) ? 'accepted' : '23514');
  });

  it.each([0, 2, -1])('refuse a step that moves the version by %i', async (step) => {
    expect(await verdict(update(await insert('PENDING'), 'PAID', step))).toBe('FG011');
  });

  it.each([
    'version = version + 1', "account_id = 'b'", 'amount = 1', "items = '[1]'", 'lane = 1', "currency = 'EUR'", "reserved_at = 'epoch'",
  ])('refuse to change what was reserved: %s', async (assignment) => {
    expect(await verdict(at.database.query(`UPDATE orders SET ${assignment} WHERE rid = $1`, [await insert('PENDING')]))).toBe('FG011');
  });

  it('refuse to delete an order, and to touch a closed one', async () => {
    const rid = await insert('CLOSED');
    expect(await verdict(at.database.query('DELETE FROM orders WHERE rid = $1', [rid]))).toBe('FG011');
    expect(await verdict(at.database.query('UPDATE orders SET pay_by = now() WHERE rid = $1', [rid]))).toBe('FG011');
  });
});
