import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppProcess, CallbackReceiver, eventually, freePort } from '@floodgate/platform/testing';

const apiKey = 'the key that the shop has';
const secret = 'the secret of the callbacks';
const minuteMs = 60_000;

interface Notice {
  id: string;
  type: string;
  paymentId: string;
  orderId: string;
}

describe('the sandbox payment provider', () => {
  const shop = new CallbackReceiver();
  let callbackUrl: string;
  let folder: string;
  let url: string;
  let provider: AppProcess;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sandbox-book-'));
    callbackUrl = await shop.start();
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    provider = await AppProcess.start('sandbox-payment', {
      PORT: String(port), BOOK_FILE: path.join(folder, 'book.db'), SANDBOX_API_KEY: apiKey, SANDBOX_WEBHOOK_SECRET: secret,
    });
  });
  beforeEach(() => {
    shop.answer = async () => 200;
  });
  afterAll(async () => {
    await provider?.stop();
    await shop.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function call(method: string, where: string, body?: unknown, key = apiKey): Promise<{ status: number; body: any }> {
    const answer = await fetch(new URL(where, url), {
      method, headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  const payment = (changes: Record<string, unknown> = {}) => ({
    paymentId: randomUUID(), orderId: `Sale1.${randomUUID()}`, amount: { amount: 250, currency: 'GBP' }, callbackUrl,
    expiresAt: new Date(Date.now() + minuteMs).toISOString(), ...changes,
  });
  const open = async (changes: Record<string, unknown> = {}) => (await call('POST', '/v1/payments', payment(changes))).body;
  const read = async (id: string) => (await call('GET', `/v1/payments/${id}`)).body;
  const noticesOf = (id: string) => shop.bodies<Notice>().filter((notice) => notice.paymentId === id);

  it('opens a payment once, whatever the number of requests, and refuses its id for another order', async () => {
    const input = payment();
    const first = await call('POST', '/v1/payments', input);
    expect(first).toMatchObject({ status: 201, body: { paymentId: input.paymentId, state: 'open', expiresAt: input.expiresAt } });
    expect(await call('POST', '/v1/payments', input)).toEqual({ status: 200, body: first.body });
    expect((await call('POST', '/v1/payments', { ...input, amount: { amount: 1, currency: 'GBP' } })).status).toBe(409);
    expect((await call('POST', '/v1/payments', { ...input, orderId: 'another' })).status).toBe(409);
  });

  it.each([
    ['an unknown field', { surprise: 1 }],
    ['an amount below zero', { amount: { amount: -1, currency: 'GBP' } }],
    ['a callback that is no web address', { callbackUrl: 'file:///etc/passwd' }],
    ['a time that is none', { expiresAt: 'tomorrow' }],
    ['an id that is none', { paymentId: 'a b' }],
  ])('refuses %s', async (_, changes) => {
    expect((await call('POST', '/v1/payments', payment(changes))).status).toBe(400);
  });

  it('lets only the shop use its API', async () => {
    for (const [method, where] of [['POST', '/v1/payments'], ['GET', '/v1/payments/x'], ['POST', '/v1/payments/x/close'], ['POST', '/v1/payments/x/refund'], ['GET', '/v1/book']] as const) {
      expect((await call(method, where, method === 'POST' ? {} : undefined, 'wrong')).status).toBe(401);
    }
  });

  it('shows the buyer a page with two buttons at an address that cannot be guessed', async () => {
    const { redirectUrl, paymentId } = await open({ returnUrl: 'https://shop.example/?a=1&b="><script>' });
    const page = await fetch(redirectUrl);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect((await page.text()).match(/<button/g)).toHaveLength(2);
    for (const wrong of [`/checkout/${paymentId}`, `/checkout/${paymentId}.`, `/checkout/${paymentId}.${'A'.repeat(32)}`, '/checkout/x']) {
      expect((await fetch(new URL(wrong, url))).status).toBe(404);
    }
    const form = await fetch(redirectUrl, { method: 'POST', headers: { accept: 'text/html' }, body: new URLSearchParams({ outcome: 'capture' }) });
    expect(form.status).toBe(202);
    const text = await form.text();
    expect(text).toContain('captured');
    expect(text).not.toContain('<script>');
  });

  it.each([
    [{}], [{ outcome: 'steal' }], [{ outcome: 'capture', delayMs: -1 }], [{ outcome: 'capture', delayMs: 1.5 }], [{ outcome: 'capture', delayMs: '5' }],
    [{ outcome: 'capture', repeat: -1 }], [{ outcome: 'capture', surprise: true }], [[]],
  ])('refuses the decision %j', async (decision) => {
    const { redirectUrl, paymentId } = await open();
    expect((await call('POST', redirectUrl, decision)).status).toBe(400);
    expect((await read(paymentId)).state).toBe('open');
  });

  it.each([['capture', 'captured'], ['decline', 'declined']])('on %s tells the shop, signed, that it is %s', async (outcome, state) => {
    const { redirectUrl, paymentId, orderId } = await open();
    expect((await call('POST', redirectUrl, { outcome })).status).toBe(202);
    await eventually(() => expect(noticesOf(paymentId)).toHaveLength(1));
    const told = shop.received.find(({ body }) => body.includes(paymentId))!;
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(told.headers['x-signature'])) ?? [];
    expect(v1).toBe(createHmac('sha256', secret).update(`${t}.`).update(told.body).digest('hex'));
    expect(Math.abs(Date.now() / 1000 - Number(t))).toBeLessThan(10);
    expect(JSON.parse(told.body.toString())).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9._~-]{1,64}$/), type: `payment.${state}`, paymentId, orderId, amount: { amount: 250, currency: 'GBP' },
      occurredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect((await read(paymentId)).state).toBe(state);
  });

  it('lets the first decision stand, and never captures what was declined or closed', async () => {
    const captured = await open();
    expect((await call('POST', captured.redirectUrl, { outcome: 'capture' })).status).toBe(202);
    expect((await call('POST', captured.redirectUrl, { outcome: 'capture' })).status).toBe(202);
    expect((await call('POST', captured.redirectUrl, { outcome: 'decline' })).status).toBe(202);
    await eventually(() => expect(noticesOf(captured.paymentId)).toHaveLength(1));
    expect((await read(captured.paymentId)).state).toBe('captured');

    const declined = await open();
    await call('POST', declined.redirectUrl, { outcome: 'decline' });
    expect((await call('POST', declined.redirectUrl, { outcome: 'capture' })).status).toBe(409);
    const closed = await open();
    expect((await call('POST', `/v1/payments/${closed.paymentId}/close`)).body.state).toBe('closed');
    expect((await call('POST', closed.redirectUrl, { outcome: 'capture' })).status).toBe(409);
    expect((await read(closed.paymentId)).state).toBe('closed');
  });

  it('closes a payment unless it was captured, also while a decision waits for its delay', async () => {
    const captured = await open();
    await call('POST', captured.redirectUrl, { outcome: 'capture' });
    expect(await call('POST', `/v1/payments/${captured.paymentId}/close`)).toMatchObject({ status: 200, body: { state: 'captured' } });
    const waiting = await open();
    await call('POST', waiting.redirectUrl, { outcome: 'capture', delayMs: minuteMs });
    expect(await call('POST', `/v1/payments/${waiting.paymentId}/close`)).toMatchObject({ status: 200, body: { state: 'closed' } });
    expect((await call('POST', '/v1/payments/unknown/close')).status).toBe(404);
  });

  it('tells as often as was asked for, under one event id, each until it is answered 200', async () => {
    const answers = [500, 'nothing', 200, 401, 200, 200] as const;
    let calls = 0;
    const { redirectUrl, paymentId } = await open();
    shop.answer = async ({ body }) => (body.includes(paymentId) ? answers[calls++]! : 200);
    await call('POST', redirectUrl, { outcome: 'capture', repeat: 2 });
    await eventually(() => expect(calls).toBe(answers.length));
    expect(new Set(noticesOf(paymentId).map((notice) => notice.id)).size).toBe(1);
    // A later event to the same shop arrives, and nothing more of the first.
    const later = await open();
    await call('POST', later.redirectUrl, { outcome: 'decline' });
    await eventually(() => expect(noticesOf(later.paymentId)).toHaveLength(1));
    expect(calls).toBe(answers.length);
  });

  it('gives captured money back once', async () => {
    const { redirectUrl, paymentId } = await open();
    const refund = (refundId: string) => call('POST', `/v1/payments/${paymentId}/refund`, { refundId });
    expect((await refund('r1')).status).toBe(409);
    await call('POST', redirectUrl, { outcome: 'capture' });
    expect(await refund('r1')).toMatchObject({ status: 200, body: { state: 'refunded', refundId: 'r1' } });
    expect(await refund('r1')).toMatchObject({ status: 200, body: { state: 'refunded', refundId: 'r1' } });
    expect((await refund('r2')).status).toBe(409);
    await eventually(() => expect(noticesOf(paymentId).map((notice) => notice.type).sort()).toEqual(['payment.captured', 'payment.refunded']));
  });

  it('expires what nobody decided in time, and takes no money for it then', async () => {
    const { redirectUrl, paymentId } = await open({ expiresAt: new Date(Date.now() + 200).toISOString() });
    await call('POST', redirectUrl, { outcome: 'capture', delayMs: minuteMs });
    await eventually(() => expect(noticesOf(paymentId).map((notice) => notice.type)).toEqual(['payment.expired']));
    expect((await call('POST', redirectUrl, { outcome: 'capture' })).status).toBe(409);
    expect((await call('POST', `/v1/payments/${paymentId}/close`)).body.state).toBe('expired');
  });

  it('shows its book by order, in pages that miss nothing', async () => {
    const orders = ['BookA.1', 'BookA.2', 'BookAB.1', 'BookB.1'];
    for (const orderId of orders) await open({ orderId });
    const { body } = await call('GET', '/v1/book?orderPrefix=BookA.');
    expect(body).toMatchObject({ items: [{ orderId: 'BookA.1', state: 'open', amount: { amount: 250, currency: 'GBP' } }, { orderId: 'BookA.2' }], nextCursor: null });
    const cursor = Buffer.from(`BookA.1 ${body.items[0].paymentId}`).toString('base64url');
    expect((await call('GET', `/v1/book?orderPrefix=BookA.&cursor=${cursor}`)).body.items).toEqual([body.items[1]]);
    expect((await call('GET', '/v1/book?orderPrefix=BookA.&limit=1')).status).toBe(400);
  });

  it('forgets nothing when it is killed: decisions, their delays and the notices owed go on', async () => {
    shop.answer = async () => 'nothing';
    const told = await open();
    await call('POST', told.redirectUrl, { outcome: 'capture', repeat: 1 });
    await eventually(() => expect(noticesOf(told.paymentId).length).toBeGreaterThan(0));
    const due = await open();
    await call('POST', due.redirectUrl, { outcome: 'capture', delayMs: 300 });
    const later = await open();
    await call('POST', later.redirectUrl, { outcome: 'decline', delayMs: 2_500 });
    await provider.kill('SIGKILL');
    const before = shop.received.length;
    shop.answer = async () => 200;
    await provider.restart();
    await eventually(() => {
      const since = shop.bodies<Notice>().slice(before);
      const types = (id: string) => since.filter((notice) => notice.paymentId === id).map((notice) => notice.type);
      expect(types(told.paymentId)).toEqual(['payment.captured', 'payment.captured']);
      expect(types(due.paymentId)).toEqual(['payment.captured']);
      expect(types(later.paymentId)).toEqual(['payment.declined']);
    });
    expect(await read(due.paymentId)).toMatchObject({ state: 'captured', redirectUrl: due.redirectUrl });
  });

  it('answers /readyz on both ports and ends with 0 on SIGTERM', async () => {
    expect((await fetch(new URL('/readyz', url))).status).toBe(200);
    expect((await fetch(new URL('/readyz', provider.internalUrl))).status).toBe(200);
    expect(await provider.kill('SIGTERM')).toBe(0);
    await provider.restart();
  });
});
