import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { Chance } from '../../tools/src/scenario/random.js';
import { Pool } from 'pg';
import { Api, expectStatus, type ApiAnswer, type Buyer } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';
import { Sandbox, type BookedPayment } from '../support/sandbox.js';

/** DRILL_ORDERS and DRILL_SEED in the environment change both. */
const ordersWanted = Number(process.env['DRILL_ORDERS'] ?? 120);
const seed = Number(process.env['DRILL_SEED'] ?? 20_261_127);
const buyersAtOnce = 24;
const apiKey = randomBytes(16).toString('hex');
/** Everything at once, but `down`, which comes and goes. */
const misbehaviour = {
  seed, loseReply: 0.05, failClose: 0.1, failRefunds: 2, decline: 0.08, captureAfterClose: 0.8, captureAfterCloseMs: 400, earlyCallback: 0.05, dropCallback: 0.12,
  delayCallback: 0.2, delayCallbackMs: 4_000, repeatCallback: 0.1, repeatTimes: 20, concurrentCallback: 0.5, reorderCallback: 0.1, reorderCallbackMs: 3_000,
  wrongAmount: 0.08, unknownType: 0.08, staleTimestamp: 0.08, forgedSignature: 0.08,
};
/** Provider down for this long, each way once. */
const downMs = 2_500;
/** The longest wait is for the poller: it asks about a payment 30 s after its start for the first time, and the machine may be slow. */
const settleMs = 240_000;
const timeoutMs = 360_000 + ordersWanted * 400;

type Fate = 'pay' | 'decline' | 'cancel' | 'open-and-leave' | 'late' | 'leave';
const fates: [Fate, number][] = [['pay', 0.5], ['decline', 0.1], ['cancel', 0.15], ['open-and-leave', 0.1], ['late', 0.1], ['leave', 0.05]];

describe(`promise: money is right whatever the provider does (seed ${seed}, ${ordersWanted} orders)`, () => {
  let platform: Platform;
  let api: Api;
  let sandbox: Sandbox;
  let postgres: Pool;
  beforeAll(async () => {
    const env = { SANDBOX_API_KEY: apiKey };
    platform = await startPlatform({ serviceEnv: async () => ({ order: env, 'sandbox-payment': { ...env, SANDBOX_MISBEHAVIOUR: JSON.stringify(misbehaviour) } }) });
    api = new Api(platform.run);
    sandbox = new Sandbox(platform.run.sandboxPayment.url, apiKey);
    postgres = new Pool({ connectionString: platform.run.postgres.url, max: 2 });
  });
  afterAll(async () => {
    await postgres?.end();
    await platform?.stop();
  });

  /** Until the answer is no "not now": with one key, so that nothing happens twice. */
  const persist = (ask: () => Promise<ApiAnswer>): Promise<ApiAnswer> => eventually(async () => {
    const answer = await ask();
    if (answer.status === 503 || answer.status === 429) throw new Error(`still ${answer.status} ${answer.body.code}`);
    return answer;
  }, { timeoutMs: 120_000 });

  /** The buyer clicks until the provider has answered, which a provider that is down does not. */
  const click = (buyer: Buyer, url: string, outcome: 'capture' | 'decline'): Promise<number> => eventually(() => buyer.settle(url, { outcome }), { timeoutMs: 120_000 });

  async function buy(sale: { id: string; items: { id: string }[] }, fate: Fate): Promise<void> {
    const buyer = api.buyer();
    const entryToken = await buyer.entryToken(sale.id);
    const key = randomUUID();
    const { reservationId: id } = expectStatus(202, await persist(() => buyer.reserve(sale.id, [{ itemId: sale.items[0]!.id, quantity: 1 }], { key, entryToken })));
    if (fate === 'leave') return;
    await buyer.until(id, ['ORDERED', 'PAID', 'RELEASED'], 120_000);
    const payKey = randomUUID();
    const started = await persist(() => buyer.startPayment(id, payKey));
    // 409: its time was over before the provider answered.
    if (started.status === 409 || fate === 'open-and-leave') return;
    expect([200, 201]).toContain(started.status);
    if (fate === 'late') {
      // The order's time is over before its payment's, so that the provider closes it, and some of those take the money all the same.
      await postgres.query('UPDATE orders.orders SET pay_by = clock_timestamp() WHERE rid = $1', [id]);
      return;
    }
    if (fate === 'cancel') {
      const cancelKey = randomUUID();
      expect([202, 409]).toContain((await persist(() => buyer.cancel(id, cancelKey))).status);
      return;
    }
    expect([202, 409]).toContain(await click(buyer, started.body.redirectUrl, fate === 'pay' ? 'capture' : 'decline'));
  }

  async function buyAll(sales: { id: string; items: { id: string }[] }[]): Promise<void> {
    const chance = new Chance(seed);
    const plan = Array.from({ length: ordersWanted }, (_, index) => ({ sale: sales[index % sales.length]!, fate: pick(chance.of(`fate|${index}`)) }));
    const downAt = new Map([[Math.floor(plan.length / 3), 'refuses'], [Math.floor((2 * plan.length) / 3), 'hangs']]);
    let next = 0;
    const outages: Promise<void>[] = [];
    await Promise.all(Array.from({ length: buyersAtOnce }, async () => {
      for (let index = next++; index < plan.length; index = next++) {
        const down = downAt.get(index);
        if (down !== undefined) outages.push(outage(down));
        await buy(plan[index]!.sale, plan[index]!.fate);
      }
    }));
    await Promise.all(outages);
  }

  async function outage(down: string): Promise<void> {
    await sandbox.misbehave({ ...misbehaviour, down });
    const endsAtMs = Date.now() + downMs;
    await eventually(() => expect(Date.now()).toBeGreaterThan(endsAtMs));
    await sandbox.misbehave(misbehaviour);
  }

  async function ordersOf(saleId: string): Promise<{ id: string; state: string; reason: string | null; replaces?: string }[]> {
    const orders: { id: string; state: string; reason: string | null }[] = [];
    for (let cursor = ''; ;) {
      const page = expectStatus(200, await api.admin('merchant', 'GET', `/sales/${saleId}/orders?limit=100${cursor}`));
      orders.push(...page.items);
      if (page.nextCursor === null) return orders;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
  }

  it('every captured payment pays one order or goes back once, both books are equal, and every unit has its fate', async () => {
    const changes = { paymentWindowSeconds: 25, closesAt: new Date(Date.now() + 3_600_000).toISOString() };
    const sales = [
      await api.armedSale([{ quota: ordersWanted }], { ...changes, latePayment: 'refund' }),
      await api.armedSale([{ quota: ordersWanted }], { ...changes, latePayment: 'reacquire' }),
    ];
    await buyAll(sales);

    // The books first, with everything still going wrong; the audits then have nothing under way.
    const settled = await eventually(async () => {
      const settlement = expectStatus(200, await api.admin('auditor', 'GET', '/settlements/sandbox'));
      expect(settlement).toMatchObject({ state: 'equal', differences: [] });
      for (const sale of sales) expect(await api.audit(sale.id)).toMatchObject({ verdict: 'clean', oversold: 0, lost: 0, duplicated: 0, unexplained: 0, redisEqualsPostgres: true });
      for (const sale of sales) expect((await ordersOf(sale.id)).filter((order) => order.state === 'ORDERED' || order.state === 'QUEUED')).toEqual([]);
      return settlement;
    }, { timeoutMs: settleMs });

    await sandbox.misbehave({});
    const seen = { orders: 0, paid: 0, captured: 0, refunded: 0, late: 0 };
    for (const sale of sales) {
      const orders = await ordersOf(sale.id);
      const book = await sandbox.book(sale.id);
      const paid = orders.filter((order) => order.state === 'PAID');
      const kept = book.filter((payment) => payment.state === 'captured');
      // Each paid order has its own captured payment: its own, or the late one of the order that it replaces.
      const payers = new Set(paid.map((order) => payerOf(kept, order.replaces ?? order.id)?.paymentId));
      expect(payers).toEqual(new Set(kept.map((payment) => payment.paymentId)));
      expect(payers.size).toBe(paid.length);
      for (const payment of book) expect(payment.refundId).toBe(payment.state === 'refunded' ? `refund.${payment.paymentId}` : null);
      seen.orders += orders.length;
      seen.paid += paid.length;
      seen.captured += kept.length;
      seen.refunded += book.filter((payment) => payment.state === 'refunded').length;
      seen.late += orders.filter((order) => order.replaces).length;
    }
    expect(seen.captured + seen.refunded).toBe(settled.payments.there);
    process.stderr.write(`drill: seed ${seed}, ${JSON.stringify(seen)}\n`);
    // A run in which nothing went wrong would prove nothing.
    for (const [what, count] of Object.entries(seen)) expect([what, count > 0]).toEqual([what, true]);
  }, timeoutMs);
});

const payerOf = (kept: readonly BookedPayment[], orderId: string): BookedPayment | undefined => kept.find((payment) => payment.orderId === orderId);

function pick(dice: number): Fate {
  let sum = 0;
  return fates.find(([, share]) => (sum += share) > dice)?.[0] ?? 'pay';
}
