import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { View, type SettlementView } from '@floodgate/contracts';
import { eventually } from '@floodgate/platform/testing';
import { currency, OrderHarness, price, type Placed } from '../support/order.harness.js';
import { SettlementTimer } from './settlement.timer.js';

let at: OrderHarness;
beforeAll(async () => {
  at = await OrderHarness.start();
});
afterEach(() => {
  at.provider.away = false;
  at.provider.overbooked.clear();
});
afterAll(() => at.stop());

async function compare(day: string | null = null): Promise<SettlementView> {
  const answer = await at.service.client.ask('compare-settlement', { provider: 'sandbox', day }, { timeoutMs: 20_000 });
  if (!answer.ok) throw new Error(answer.detail);
  const { id } = answer.value;
  return eventually(async () => {
    const read = await at.service.client.ask('get-settlement', { provider: 'sandbox', id, cursor: null, limit: 100 });
    if (!read.ok || read.value.state === 'running') throw new Error('it still runs');
    return read.value;
  });
}

/** An order whose payment was captured, as the provider's notice would have it. */
async function paid(): Promise<{ placed: Placed; paymentId: string }> {
  const placed = await at.order();
  const { paymentId } = await at.payment(placed);
  await notice(placed, paymentId, 'captured');
  return { placed, paymentId };
}

async function notice(placed: Placed, paymentId: string, state: 'captured' | 'refunded'): Promise<void> {
  at.provider.settle(paymentId, state);
  const body = { id: `ev-${state}-${paymentId}`, type: `payment.${state}`, paymentId, orderId: placed.rid, amount: { amount: price, currency }, occurredAt: new Date().toISOString() };
  const answer = await at.service.client.ask('payment-notice', { provider: 'sandbox', headers: {}, body: Buffer.from(JSON.stringify(body)).toString('base64') });
  if (!answer.ok) throw new Error(answer.detail);
}

const sql = (text: string, ...values: unknown[]) => at.database.query(text, values);
const kindsOf = (view: SettlementView, paymentId: string | null) => view.differences.filter((one) => one.paymentId === paymentId).map((one) => one.kind);

/** One planted difference of each kind, and how the test puts the world right again. */
const plants: Record<View.SettlementDifferenceKind, () => Promise<{ paymentId: string | null; mend: () => unknown; orderToo?: boolean }>> = {
  'not-here': async () => {
    at.provider.payments.set('nobodys', { paymentId: 'nobodys', orderId: 'Sale.x', state: 'captured', amount: { amount: 1, currency } });
    return { paymentId: 'nobodys', mend: () => at.provider.payments.delete('nobodys') };
  },
  'not-there': async () => {
    const { paymentId } = await paid();
    const entry = at.provider.payments.get(paymentId)!;
    at.provider.payments.delete(paymentId);
    return { paymentId, mend: () => at.provider.payments.set(paymentId, entry) };
  },
  'other-order': async () => {
    const { paymentId } = await paid();
    at.provider.overbooked.set(paymentId, { orderId: 'Sale.other' });
    return { paymentId, mend: () => at.provider.overbooked.clear() };
  },
  'state': async () => {
    const placed = await at.order();
    const { paymentId } = await at.payment(placed);
    at.provider.settle(paymentId, 'captured');
    // What it finds is judged like an answer, so the next comparison finds nothing.
    return { paymentId, mend: () => undefined };
  },
  'amount': async () => {
    const { paymentId } = await paid();
    at.provider.overbooked.set(paymentId, { captured: price + 1 });
    return { paymentId, mend: () => at.provider.overbooked.clear() };
  },
  'refund-missing': async () => {
    const { paymentId } = await paid();
    await sql(`INSERT INTO refund (payment_id, sale_id, rid, amount, currency, reason, state) SELECT payment_id, sale_id, rid, amount, currency, 'test', 'DONE' FROM payment WHERE payment_id = $1`, paymentId);
    return { paymentId, mend: () => sql('DELETE FROM refund WHERE payment_id = $1', paymentId) };
  },
  'refund-double': async () => {
    const { paymentId } = await paid();
    at.provider.overbooked.set(paymentId, { refunded: 2 * price });
    return { paymentId, mend: () => at.provider.overbooked.clear() };
  },
  'refund-unasked': async () => {
    const { paymentId } = await paid();
    at.provider.overbooked.set(paymentId, { refunded: price });
    return { paymentId, mend: () => at.provider.overbooked.clear() };
  },
  'no-order': async () => {
    const { paymentId } = await paid();
    await sql('UPDATE payment SET pays = false WHERE payment_id = $1', paymentId);
    return { paymentId, orderToo: true, mend: () => sql('UPDATE payment SET pays = true WHERE payment_id = $1', paymentId) };
  },
  'paid-and-refunded': async () => {
    const { paymentId } = await paid();
    at.provider.overbooked.set(paymentId, { refunded: price });
    return { paymentId, mend: () => at.provider.overbooked.clear() };
  },
  'paid-without-money': async () => {
    const placed = await at.orderIn('PAID');
    const paymentId = `for-${placed.rid}`;
    return {
      paymentId: null,
      mend: async () => {
        at.provider.payments.set(paymentId, { paymentId, orderId: placed.rid, state: 'captured', amount: { amount: price, currency } });
        await sql(`INSERT INTO payment (payment_id, sale_id, rid, provider, amount, currency, state, pays) VALUES ($1, $2, $3, 'sandbox', $4, $5, 'CAPTURED', true)`, paymentId, placed.saleId, placed.rid, price, currency);
      },
    };
  },
};

describe('a comparison', () => {
  it.each(View.settlementDifferenceKinds.map((kind) => [kind, plants[kind]] as const))('finds %s, and nothing once it is mended', async (kind, plant) => {
    const { paymentId, mend, orderToo = false } = await plant();
    const view = await compare();
    await mend();
    expect(view).toMatchObject({ state: 'different', provider: 'sandbox', day: null, finishedAt: expect.any(String) });
    expect(kindsOf(view, paymentId)).toContain(kind);
    expect(new Set(view.differences.map((one) => one.paymentId))).toEqual(new Set([paymentId, ...(orderToo ? [null] : [])]));
    expect(view.counts[kind]).toBe(1);
    expect(await compare()).toMatchObject({ state: 'equal', counts: {}, differences: [] });
  });

  it('judges the capture that it found, as if the provider had answered', async () => {
    const placed = await at.order();
    const { paymentId } = await at.payment(placed);
    at.provider.settle(paymentId, 'captured');
    expect(kindsOf(await compare(), paymentId)).toContain('state');
    expect(await at.state(placed)).toBe('PAID');
    expect(await compare()).toMatchObject({ state: 'equal' });
  });

  it('of late money that pays another order than it was asked for goes by the one that the provider knows', async () => {
    const { paymentId } = await paid();
    await sql(`UPDATE payment SET opened_for = 'Sale.asked-for' WHERE payment_id = $1`, paymentId);
    expect(kindsOf(await compare(), paymentId)).toEqual(['other-order']);
    at.provider.payments.get(paymentId)!.orderId = 'Sale.asked-for';
    expect(await compare()).toMatchObject({ state: 'equal' });
  });

  it('looks at what seems to differ once more: what was under way is no difference', async () => {
    const placed = await at.order();
    const { paymentId } = await at.payment(placed);
    at.provider.settle(paymentId, 'captured');
    const asked = at.provider.money.bind(at.provider);
    at.provider.money = async (id) => {
      await notice(placed, id, 'captured');
      return asked(id);
    };
    try {
      expect(await compare()).toMatchObject({ state: 'equal', differences: [] });
    } finally {
      at.provider.money = asked;
    }
  });

  it('of a day goes by the day', async () => {
    const { paymentId } = await paid();
    await sql(`UPDATE payment SET updated_at = '2020-05-05T12:00:00Z' WHERE payment_id = $1`, paymentId);
    const entry = at.provider.payments.get(paymentId)!;
    at.provider.payments.delete(paymentId);
    expect(kindsOf(await compare('2020-05-05'), paymentId)).toEqual(['not-there']);
    expect(kindsOf(await compare('2020-05-06'), paymentId)).toEqual([]);
    at.provider.payments.set(paymentId, entry);
  });

  it('is unknown while the provider is away', async () => {
    at.provider.away = true;
    expect(await compare()).toMatchObject({ state: 'unknown', problem: 'away', differences: [] });
  });

  it('reads books of many pages, and lists every difference page by page', async () => {
    const ids = Array.from({ length: 1_203 }, (_, i) => `many-${String(i).padStart(4, '0')}`);
    for (const paymentId of ids) at.provider.payments.set(paymentId, { paymentId, orderId: `Many.${paymentId}`, state: 'captured', amount: { amount: 1, currency } });
    const view = await compare();
    expect(view.counts).toEqual({ 'not-here': ids.length });
    const listed: (string | null)[] = [];
    for (let cursor: string | null = null; ;) {
      const answer = await at.service.client.ask('get-settlement', { provider: 'sandbox', id: view.id, cursor, limit: 100 });
      if (!answer.ok) throw new Error(answer.detail);
      const page: SettlementView = answer.value;
      listed.push(...page.differences.map((one) => one.paymentId));
      cursor = page.nextCursor;
      if (cursor === null) break;
    }
    expect(listed).toEqual(ids);
    for (const paymentId of ids) at.provider.payments.delete(paymentId);
    expect(await at.database.query('SELECT FROM settlement_entry')).toEqual([]);
  });

  it('knows no provider but those that there are, and no id but its own', async () => {
    expect(await at.service.client.ask('compare-settlement', { provider: 'cash', day: null })).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    expect(await at.service.client.ask('get-settlement', { provider: 'sandbox', id: 'set-none', cursor: null, limit: 10 })).toMatchObject({ ok: false, code: 'NOT_FOUND' });
    expect(await at.service.client.ask('get-settlement', { provider: 'sandbox', id: 'set-none', cursor: 'x', limit: 10 })).toMatchObject({ ok: false, code: 'INVALID_REQUEST' });
  });
});

describe('every day', () => {
  const daily = () => at.database.query<{ id: string; day: string; state: string }>(`SELECT id, day::text AS day, state FROM settlement WHERE trigger = 'daily' ORDER BY day`);
  const tick = () => at.service.get(SettlementTimer).tick();

  it('the days that are over are compared, each once', async () => {
    await tick();
    const first = await daily();
    expect(first.map((one) => one.state)).toEqual(['equal', 'equal', 'equal']);
    await Promise.all([tick(), tick()]);
    expect(await daily()).toEqual(first);
  });

  it('one that came to nothing, or died, is compared again', async () => {
    await tick();
    const [dead, unknown, recent] = await daily();
    await sql(`UPDATE settlement SET state = 'running', touched_at = clock_timestamp() - interval '1 hour' WHERE id = $1`, dead!.id);
    await sql(`UPDATE settlement SET state = 'unknown', touched_at = clock_timestamp() - interval '1 hour' WHERE id = $1`, unknown!.id);
    await sql(`UPDATE settlement SET state = 'unknown' WHERE id = $1`, recent!.id);
    await tick();
    const after = await daily();
    expect(after.map((one) => one.state)).toEqual(['equal', 'equal', 'unknown']);
    expect(after.map((one) => one.id === recent!.id)).toEqual([false, false, true]);
  });
});
