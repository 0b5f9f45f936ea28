import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, ReleaseReason, SaleDocument } from '@floodgate/contracts';
import { Shutdown } from '@floodgate/platform';
import { AppProcess, CallbackReceiver, eventually, freePort } from '@floodgate/platform/testing';
import { isSold, type OrderState } from '../order/order.transitions.js';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import type { PaymentProvider, ProviderNotice } from '../payment-provider/payment-provider.js';
import { ReacquireJob } from '../reacquire/reacquire.job.js';
import { currency, OrderHarness, price, type Placed } from '../support/order.harness.js';
import { Sweeper } from '../sweeper/sweeper.js';
import { PaidBackOrders } from './paid-back.orders.js';
import { PaymentJudge } from './payment.judge.js';
import { PaymentPoller } from './payment.poller.js';
import { judgedBefore, paymentSteps, raceCells, type JudgedBefore, type OrderEvent, type PaymentState, type RaceAction, type RaceCell } from './payment-race.js';
import { RefundStore } from './refund.store.js';
import { RefundWorker } from './refund.worker.js';

const apiKey = 'the key that the shop has';
const webhookSecret = 'the secret of the callbacks';
const latePayments = ['refund', 'reacquire'] as const;
type LatePayment = (typeof latePayments)[number];

/** Every cell of the race table, those of section 1 in every state too, against Postgres and the provider's own process. */
describe('the payment race', () => {
  const gateway = new CallbackReceiver();
  const sales = {} as Record<LatePayment, SaleDocument>;
  let harness: OrderHarness;
  let sandbox: AppProcess;
  let provider: PaymentProvider;
  let refunds: RefundWorker;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'race-book-'));
    const port = await freePort();
    // What the provider says by itself is heard and dropped: each cell says what it means, with the provider's signature.
    gateway.answer = async () => 200;
    const callbackUrl = await gateway.start();
    [sandbox, harness] = await Promise.all([
      AppProcess.start('sandbox-payment', { PORT: String(port), BOOK_FILE: path.join(folder, 'book.db'), SANDBOX_API_KEY: apiKey, SANDBOX_WEBHOOK_SECRET: webhookSecret }),
      OrderHarness.start({ url: `http://127.0.0.1:${port}`, apiKey, webhookSecret, callbackUrl }),
    ]);
    // Nothing is asked, closed, bought or given back behind a cell's back: what it owes is worked off when the cell has looked.
    for (const job of [RefundWorker, PaymentPoller, Sweeper, ReacquireJob]) await harness.service.get<{ onModuleDestroy(): Promise<void> }>(job).onModuleDestroy();
    provider = harness.service.get(PaymentProviders).of({ provider: 'sandbox' });
    refunds = new RefundWorker(
      harness.service.get(RefundStore), harness.service.get(PaymentProviders), harness.service.get(PaymentJudge), harness.service.get(PaidBackOrders), new Shutdown());
    for (const latePayment of latePayments) sales[latePayment] = await harness.sale({ latePayment }, raceCells.length);
  });
  afterAll(async () => {
    await harness?.stop();
    await sandbox?.stop();
    await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A payment in our rows and in the provider's book. */
  async function payment(placed: Placed, state: PaymentState, pays = false): Promise<string> {
    const paymentId = `pay-${randomUUID()}`;
    const { redirectUrl } = await provider.open({ paymentId, orderId: placed.rid, amount: { amount: price, currency }, returnUrl: null, expiresAtMs: Date.now() + 3_600_000 });
    await harness.database.query(
      `INSERT INTO payment (payment_id, sale_id, rid, provider, amount, currency, state, pays, redirect_url, expires_at)
       VALUES ($1, $2, $3, 'sandbox', $4, $5, $6, $7, $8, clock_timestamp() + interval '1 hour')`,
      [paymentId, placed.saleId, placed.rid, price, currency, state, pays, redirectUrl]);
    if (state === 'CAPTURED') await settle(paymentId, 'capture');
    return paymentId;
  }

  async function settle(paymentId: string, outcome: 'capture' | 'decline'): Promise<void> {
    const [row] = await harness.database.query<{ url: string }>('SELECT redirect_url AS url FROM payment WHERE payment_id = $1', [paymentId]);
    const answer = await fetch(row!.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ outcome }) });
    expect(answer.status).toBe(202);
    await eventually(async () => expect((await provider.read(paymentId))?.state).toBe(outcome === 'capture' ? 'captured' : 'declined'));
  }

  const notice = (placed: Placed, paymentId: string, type: string): ProviderNotice => ({
    id: randomUUID(), type: `payment.${type}`, paymentId, orderId: placed.rid, amount: { amount: price, currency }, occurredAt: new Date().toISOString(),
  });

  /** Delivers a callback as the gateway would; answers the status and the word for it. */
  async function deliver(content: object, { secret = webhookSecret, ageSeconds = 0 } = {}): Promise<[number, string]> {
    const body = JSON.stringify(content);
    const t = Math.floor(Date.now() / 1000) - ageSeconds;
    const signature = `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
    const answer: Answer<'payment-notice'> = await harness.service.client.ask('payment-notice', { provider: 'sandbox', headers: { 'x-signature': signature }, body: Buffer.from(body).toString('base64') });
    if (answer.ok) return [200, String(answer.value['outcome'])];
    return [{ BAD_SIGNATURE: 401, INVALID_REQUEST: 400 }[answer.code as string] ?? 500, answer.code];
  }

  /** Everything that a message could have changed, in our rows and in the provider's book. */
  async function picture(placed: Placed) {
    const rows = (sql: string) => harness.database.query(sql, [placed.saleId, placed.rid]);
    const book = [];
    for await (const { paymentId, state } of provider.book(placed.rid)) book.push([paymentId, state]);
    return {
      order: await harness.row(placed), entries: await harness.entries(placed), units: await harness.units(placed), book,
      payments: await rows('SELECT payment_id, state, pays FROM payment WHERE sale_id = $1 AND rid = $2 ORDER BY payment_id'),
      refunds: await rows('SELECT payment_id, state FROM refund WHERE sale_id = $1 AND rid = $2 ORDER BY payment_id'),
      reacquisitions: await rows('SELECT payment_id, state FROM reacquisition WHERE sale_id = $1 AND rid = $2 ORDER BY payment_id'),
    };
  }
  type Picture = Awaited<ReturnType<typeof picture>>;

  /** One of our payments as it stands, with its refund and the provider's word. */
  const about = ({ payments, refunds: owed, reacquisitions, book }: Picture, paymentId: string) => {
    const [row, refund, late] = [payments, owed, reacquisitions].map((list) => (list as { payment_id: string; state: string; pays?: boolean }[]).find((one) => one.payment_id === paymentId));
    return { state: row?.state, pays: row?.pays, refund: refund?.state ?? null, late: late?.state ?? null, book: book.find(([id]) => id === paymentId)?.[1] };
  };

  async function orderAt(cell: RaceCell, latePayment: LatePayment): Promise<Placed> {
    const [state, reason] = cell.state.split(' ') as [OrderState, ReleaseReason | undefined];
    const placed = await harness.orderIn(state, { sale: sales[latePayment], ...(reason ? { reason } : {}) });
    // What is paid was paid by something.
    if (isSold(state) && cell.kind !== 'refunded') await payment(placed, 'CAPTURED', true);
    return placed;
  }

  /** What the provider did and told of a payment, and how that payment stood before. */
  const arranged: Record<OrderEvent, (placed: Placed) => Promise<{ paymentId: string; type: keyof (typeof paymentSteps)['OPEN']; from: PaymentState; book: string }>> = {
    captured: async (placed) => {
      // With its order our row was closed as well; the provider knows better.
      const from = (await harness.row(placed)).state === 'CLOSED' ? 'CLOSED' : 'OPEN';
      const paymentId = await payment(placed, from);
      await settle(paymentId, 'capture');
      return { paymentId, type: 'captured', from, book: 'captured' };
    },
    authorised: async (placed) => ({ paymentId: await payment(placed, 'OPEN'), type: 'authorised', from: 'OPEN', book: 'open' }),
    declined: async (placed) => {
      const paymentId = await payment(placed, 'OPEN');
      await settle(paymentId, 'decline');
      return { paymentId, type: 'declined', from: 'OPEN', book: 'declined' };
    },
    expired: async (placed) => ({ paymentId: await payment(placed, 'OPEN'), type: 'expired', from: 'OPEN', book: 'open' }),
    refunded: async (placed) => {
      const paymentId = await payment(placed, 'CAPTURED', true);
      await provider.refund(paymentId, `theirs.${paymentId}`);
      return { paymentId, type: 'refunded', from: 'CAPTURED', book: 'refunded' };
    },
    'extra-refunded': async (placed) => {
      const paymentId = await payment(placed, 'CAPTURED');
      await provider.refund(paymentId, `theirs.${paymentId}`);
      return { paymentId, type: 'refunded', from: 'CAPTURED', book: 'refunded' };
    },
  };

  /** What each action leaves behind. Only what is named here may differ from before, the payment itself apart. */
  type Left = { order?: object; entries?: string[]; payment?: object; worked?: object };
  const left: Partial<Record<RaceAction, (before: Picture, latePayment: LatePayment) => Left>> = {
    'mark-paid': (before) => ({ order: { state: 'PAID', reason: null, version: before.order.version + 1 }, entries: ['HOLD', 'SELL'], payment: { pays: true } }),
    refund: () => ({ payment: { refund: 'WAITING' }, worked: { state: 'REFUNDED', refund: 'DONE', book: 'refunded' } }),
    late: (_, latePayment) => (latePayment === 'refund' ? { payment: { refund: 'WAITING' }, worked: { state: 'REFUNDED', refund: 'DONE', book: 'refunded' } } : { payment: { late: 'WAITING' } }),
    close: (before) => ({ order: { state: 'CLOSED', reason: before.order.reason ?? 'payment-declined', version: before.order.version + 1 }, entries: ['HOLD', 'RELEASE'] }),
    'finish-refund': (before) => ({ order: { state: 'CLOSED', reason: 'sale-withdrawn', version: before.order.version + 1 }, entries: ['HOLD', 'SELL', 'RELEASE'] }),
    report: () => ({}),
    keep: () => ({}),
  };

  const ofOrder = raceCells.filter((cell): cell is RaceCell & { kind: OrderEvent } => !(cell.kind in judgedBefore));
  const played = ofOrder.flatMap((cell) => (cell.action === 'late' ? latePayments : [latePayments[0]]).map((latePayment) => [cell.state, cell.kind, cell.action, latePayment, cell] as const));

  it.each(played)('%s × %s → %s (late: %s), once', async (_state, kind, action, latePayment, cell) => {
    const placed = await orderAt(cell, latePayment);
    const { paymentId, type, from, book } = await arranged[kind](placed);
    const before = await picture(placed);
    const sent = notice(placed, paymentId, type);
    const expected = left[action]!(before, latePayment);
    const nextState = (paymentSteps[from] as Record<string, PaymentState>)[type];

    expect(await deliver(sent)).toEqual([200, action]);
    const after = await picture(placed);
    expect(after.order).toMatchObject(expected.order ?? before.order);
    if (!expected.order) expect(after.order.version).toBe(before.order.version);
    expect(after.entries).toEqual(expected.entries ?? before.entries);
    expect(about(after, paymentId)).toEqual({ state: nextState, pays: about(before, paymentId).pays, refund: null, late: null, book, ...expected.payment });

    // Told again, and told of once more under another name: nothing.
    expect(await deliver(sent)).toEqual([200, 'repeated']);
    expect(await deliver({ ...sent, id: randomUUID() })).toEqual([200, nextState === from ? action : 'old-news']);
    expect(await picture(placed)).toEqual(after);

    // An order that is being refunded gets there by its own payment, and takes one that is still live with it; the others stand where they stood.
    const ends = after.order.state === 'REFUNDING';
    const worked = ends && (nextState === 'OPEN') ? { state: 'CLOSED' } : expected.worked;
    await eventually(async () => {
      await refunds.tick();
      const now = await picture(placed);
      expect(about(now, paymentId)).toEqual({ ...about(after, paymentId), ...worked });
      expect(now.order).toMatchObject(ends ? { state: 'CLOSED', reason: 'sale-withdrawn' } : after.order);
    });
  });

  /** A message that is found out before its order is looked at, sent; answers what came of it. Some of them have several faces. */
  const early: Record<JudgedBefore, (placed: Placed, paymentId: string, first: ProviderNotice) => Promise<[number, string]>[]> = {
    'bad-signature': (placed, paymentId) => [
      deliver(notice(placed, paymentId, 'captured'), { secret: 'another' }), deliver(notice(placed, paymentId, 'captured'), { ageSeconds: 400 }),
      deliver(notice(placed, paymentId, 'captured'), { ageSeconds: -400 }),
    ],
    malformed: (placed, paymentId) => [deliver({}), deliver({ ...notice(placed, paymentId, 'captured'), surprise: 1 })],
    repeated: (_placed, _paymentId, first) => [deliver(first), deliver(first)],
    altered: (_placed, _paymentId, first) => [deliver({ ...first, type: 'payment.captured' })],
    'unknown-payment': (placed) => [deliver(notice(placed, 'pay-unknown', 'captured'))],
    'unknown-type': (placed, paymentId) => [deliver(notice(placed, paymentId, 'dreamt'))],
    'unknown-order': (placed, paymentId) => [deliver({ ...notice(placed, paymentId, 'captured'), orderId: 'Sale1.AAAAAAAAAAAAAAAAAAAAAA' })],
    'wrong-amount': (placed, paymentId) => [{ amount: price + 1, currency }, { amount: 0, currency }, { amount: price, currency: 'EUR' }].map((amount) =>
      deliver({ ...notice(placed, paymentId, 'captured'), amount })),
    'old-news': (placed, paymentId) => [deliver(notice(placed, paymentId, 'declined')), deliver(notice(placed, paymentId, 'expired')), deliver(notice(placed, paymentId, 'authorised'))],
  };
  const words: Partial<Record<JudgedBefore, string>> = { 'bad-signature': 'BAD_SIGNATURE', malformed: 'INVALID_REQUEST' };

  const beforeOrder = raceCells.filter((cell): cell is RaceCell & { kind: JudgedBefore } => cell.kind in judgedBefore);
  it.each(beforeOrder.map((cell) => [cell.state, cell.kind, cell.action, cell] as const))('%s × %s → %s: answered as it deserves, and nothing is changed', async (_state, kind, action, cell) => {
    const placed = await orderAt(cell, 'refund');
    const paymentId = await payment(placed, 'OPEN');
    const first = notice(placed, paymentId, 'expired');
    expect(await deliver(first)).toEqual([200, 'keep']);
    const before = await picture(placed);
    const answers = await Promise.all(early[kind](placed, paymentId, first));
    expect(answers).toEqual(answers.map(() => [judgedBefore[kind].status, words[kind] ?? kind]));
    expect(await picture(placed)).toEqual(before);
    const events = await harness.database.query<{ outcome: string; altered: number }>('SELECT outcome, altered FROM payment_event WHERE body->>\'orderId\' = $1 OR payment_id = $2', [placed.rid, paymentId]);
    // Whoever must look finds it: what is reported is kept with its word, what is refused is not kept at all.
    const flagged = events.filter((event) => event.outcome === kind || event.altered > 0);
    expect(flagged.length > 0).toBe(action === 'report' || kind === 'old-news');
    if (action === 'refuse') expect(events).toEqual([{ outcome: 'keep', altered: 0 }]);
  });

  it('has left every unit where the ledger says', async () => {
    for (const sale of Object.values(sales)) {
      const [sums] = await harness.database.query<{ held: number; sold: number }>(
        `SELECT count(*) FILTER (WHERE state IN ('PENDING', 'CLOSING', 'STUCK'))::int AS held, count(*) FILTER (WHERE state IN ('PAID', 'FULFILLED', 'REFUNDING'))::int AS sold
         FROM orders WHERE sale_id = $1`, [sale.saleId]);
      expect(await harness.units(sale)).toMatchObject(sums!);
    }
  });
});
