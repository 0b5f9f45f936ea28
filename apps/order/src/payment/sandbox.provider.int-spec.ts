import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer } from '@floodgate/contracts';
import { AppProcess, CallbackReceiver, eventually, freePort, type Callback } from '@floodgate/platform/testing';
import { PaymentBook } from '../reconcile/payment-book.js';
import { OrderHarness, price } from '../support/order.harness.js';

const apiKey = 'the key that the shop has';
const webhookSecret = 'the secret of the callbacks';

/** The service and the provider's own process, with somebody in between who does what the gateway does with callbacks. */
describe('with the sandbox provider', () => {
  const gateway = new CallbackReceiver();
  let harness: OrderHarness;
  let sandbox: AppProcess;
  let folder: string;

  const handOver = ({ headers, body }: Pick<Callback, 'headers' | 'body'>) =>
    harness.service.client.ask('payment-notice', { provider: 'sandbox', headers: { 'x-signature': String(headers['x-signature']) }, body: body.toString('base64') });
  const statusOf = (answer: Answer<'payment-notice'>) => (answer.ok ? 200 : { BAD_SIGNATURE: 401, INVALID_REQUEST: 400 }[answer.code as string] ?? 500);

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sandbox-book-'));
    const port = await freePort();
    const callbackUrl = await gateway.start();
    [sandbox, harness] = await Promise.all([
      AppProcess.start('sandbox-payment', { PORT: String(port), BOOK_FILE: path.join(folder, 'book.db'), SANDBOX_API_KEY: apiKey, SANDBOX_WEBHOOK_SECRET: webhookSecret }),
      OrderHarness.start({ url: `http://127.0.0.1:${port}`, apiKey, webhookSecret, callbackUrl }),
    ]);
  });
  beforeEach(() => {
    gateway.answer = async (callback) => statusOf(await handOver(callback));
  });
  afterAll(async () => {
    await harness?.stop();
    await sandbox?.stop();
    await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const settle = async (url: string, decision: object) =>
    (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(decision) })).status;

  it('a capture, told six times, pays once', async () => {
    const placed = await harness.order();
    const { redirectUrl, paymentId } = await harness.payment(placed);
    expect(await settle(redirectUrl, { outcome: 'capture', repeat: 5 })).toBe(202);
    await eventually(() => expect(gateway.received.filter(({ body }) => body.includes(paymentId))).toHaveLength(6));
    await eventually(async () => expect(await harness.state(placed)).toBe('PAID'));
    expect(await harness.entries(placed)).toEqual(['HOLD', 'SELL']);
    expect(await harness.service.get(PaymentBook).payments(placed.saleId)).toEqual([{ paymentId, orderId: placed.rid, captured: price, refunded: 0 }]);
  });

  it('a decline releases', async () => {
    const placed = await harness.order();
    await settle((await harness.payment(placed)).redirectUrl, { outcome: 'decline' });
    await eventually(async () => expect(await harness.state(placed)).toBe('CLOSED payment-declined'));
  });

  it('what was cancelled can no longer be paid there', async () => {
    const placed = await harness.order();
    const { redirectUrl } = await harness.payment(placed);
    expect(await harness.cancel(placed)).toMatchObject({ ok: true });
    expect(await settle(redirectUrl, { outcome: 'capture' })).toBe(409);
  });

  it('a capture whose notice is lost is found by the sweeper before it releases anything', async () => {
    gateway.answer = async () => 500;
    const placed = await harness.order();
    await settle((await harness.payment(placed)).redirectUrl, { outcome: 'capture' });
    await harness.database.query('UPDATE orders SET pay_by = clock_timestamp() WHERE rid = $1', [placed.rid]);
    await eventually(async () => expect(await harness.state(placed)).toBe('PAID'));
  });

  it('a provider that is killed while an order closes is asked again, and its book decides', async () => {
    const placed = await harness.order();
    const { paymentId } = await harness.payment(placed);
    await sandbox.kill('SIGKILL');
    expect(await harness.cancel(placed)).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    const other = await harness.order();
    expect(await harness.startPayment(other)).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    expect(await harness.service.get(PaymentBook).payments(placed.saleId)).toBe('unreachable');
    expect(await harness.state(placed)).toBe('CLOSING cancelled-by-buyer');
    await sandbox.restart();
    await eventually(async () => expect(await harness.state(placed)).toBe('CLOSED cancelled-by-buyer'), 30_000);
    expect(await harness.service.get(PaymentBook).payments(placed.saleId)).toEqual([{ paymentId, orderId: placed.rid, captured: 0, refunded: 0 }]);
    expect(await harness.startPayment(other)).toMatchObject({ ok: true, value: { status: 201 } });
  });

  it('money of a withdrawn sale goes back, and then its units', async () => {
    const sale = await harness.sale();
    const placed = await harness.order(sale);
    const { redirectUrl, paymentId } = await harness.payment(placed);
    await settle(redirectUrl, { outcome: 'capture' });
    await eventually(async () => expect(await harness.state(placed)).toBe('PAID'));
    await harness.service.publisher.publish('sale.changed', { saleId: sale.saleId, version: 9, state: 'WITHDRAWN', beforeArming: false });
    await eventually(async () => expect(await harness.state(placed)).toBe('CLOSED sale-withdrawn'));
    expect(await harness.entries(placed)).toEqual(['HOLD', 'SELL', 'RELEASE']);
    expect(await harness.service.get(PaymentBook).payments(sale.saleId)).toEqual([{ paymentId, orderId: placed.rid, captured: price, refunded: price }]);
  });

  it('a callback is refused with the word for what is wrong with it', async () => {
    const signed = (body: string, secret = webhookSecret) => {
      const t = Math.floor(Date.now() / 1000);
      return { headers: { 'x-signature': `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}` }, body: Buffer.from(body) };
    };
    expect(await handOver(signed('{}', 'another'))).toMatchObject({ ok: false, code: 'BAD_SIGNATURE' });
    expect(await handOver(signed('{}'))).toMatchObject({ ok: false, code: 'INVALID_REQUEST', extra: { errors: [{ message: expect.any(String) }] } });
    expect(await harness.service.client.ask('payment-notice', { provider: 'cash', headers: {}, body: '' })).toMatchObject({ ok: false, code: 'NOT_FOUND' });
  });
});
