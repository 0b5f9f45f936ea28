import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@floodgate/platform/testing';
import { SandboxFixture, secret } from '../support/sandbox.fixture.js';

let at: SandboxFixture;
beforeAll(async () => {
  at = await SandboxFixture.start({ SANDBOX_MISBEHAVIOUR: '{"seed":42,"failRefunds":1}' });
});
afterEach(async () => {
  at.shop.answer = async () => 200;
  await at.misbehave({});
});
afterAll(() => at?.stop());

const broken = expect.objectContaining({ message: expect.stringMatching(/fetch failed/) });

/** Everything that was owed when this was called has been delivered once a later payment's notice is there. */
async function laterNotice(): Promise<void> {
  const { paymentId } = await at.captured();
  await eventually(() => expect(at.typesOf(paymentId)).toContain('payment.captured'));
}

describe('switches', () => {
  it('begin as the environment says, and change at run time for who has the key', async () => {
    expect((await at.call('GET', '/v1/misbehaviour')).body).toMatchObject({ seed: 42, failRefunds: 1, decline: 0, down: 'no' });
    await at.misbehave({ decline: 0.25 });
    expect((await at.call('GET', '/v1/misbehaviour')).body).toMatchObject({ seed: 1, failRefunds: 0, decline: 0.25 });
    expect((await at.call('PUT', '/v1/misbehaviour', { decline: 7 })).status).toBe(400);
    expect((await at.call('PUT', '/v1/misbehaviour', {}, { key: 'wrong' })).status).toBe(401);
    expect((await at.call('GET', '/v1/misbehaviour')).body).toMatchObject({ decline: 0.25 });
  });
});

describe('callbacks', () => {
  it('are dropped, and the book has the capture all the same', async () => {
    await at.misbehave({ dropCallback: 1 });
    const { paymentId } = await at.captured();
    await at.misbehave({});
    await laterNotice();
    expect(at.noticesOf(paymentId)).toEqual([]);
    expect(await at.read(paymentId)).toMatchObject({ state: 'captured' });
  });

  it('are delayed: others overtake them', async () => {
    await at.misbehave({ delayCallback: 1, delayCallbackMs: 600_000 });
    const { paymentId } = await at.captured();
    await at.misbehave({});
    await laterNotice();
    expect(at.noticesOf(paymentId)).toEqual([]);
    await at.misbehave({ delayCallback: 1, delayCallbackMs: 50 });
    const soon = await at.captured();
    await eventually(() => expect(at.typesOf(soon.paymentId)).toEqual(['payment.captured']));
  });

  it.each([[0, 'one after the other'], [1, 'at once']])('are repeated 20 times under one event id (%d: %s)', async (concurrentCallback) => {
    await at.misbehave({ repeatCallback: 1, concurrentCallback });
    const waiting: (() => void)[] = [];
    let most = 0;
    at.shop.answer = async () => {
      most = Math.max(most, waiting.length + 1);
      // All of them are in before the first is answered, or the receiver gives them one more round of its event loop.
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 20 || concurrentCallback === 0) for (const answer of waiting.splice(0)) answer();
      });
      return 200;
    };
    const { paymentId } = await at.captured();
    await eventually(() => expect(at.noticesOf(paymentId)).toHaveLength(20));
    expect(new Set(at.noticesOf(paymentId).map(({ id }) => id)).size).toBe(1);
    expect(most).toBe(concurrentCallback === 1 ? 20 : 1);
  });

  it('are reordered: the refund is told before the capture', async () => {
    await at.misbehave({ reorderCallback: 1, reorderCallbackMs: 600_000 });
    const { paymentId } = await at.captured();
    await at.misbehave({});
    expect((await at.call('POST', `/v1/payments/${paymentId}/refund`, { refundId: 'r' })).status).toBe(200);
    await eventually(() => expect(at.typesOf(paymentId)).toEqual(['payment.refunded', 'payment.captured']));
  });

  it('come before the opening is answered', async () => {
    await at.misbehave({ earlyCallback: 1 });
    const input = at.payment();
    let opened = false;
    let openedBefore: boolean | null = null;
    at.shop.answer = async () => {
      openedBefore ??= opened;
      return 200;
    };
    const answer = await at.call('POST', '/v1/payments', input);
    opened = true;
    expect(answer).toMatchObject({ status: 201, body: { paymentId: input.paymentId } });
    expect([openedBefore, at.typesOf(input.paymentId)]).toEqual([false, ['payment.captured']]);
    expect(await at.read(input.paymentId)).toMatchObject({ state: 'captured' });
  });

  it('come with lies beside them, which nobody has to answer', async () => {
    await at.misbehave({ wrongAmount: 1, unknownType: 1, staleTimestamp: 1, forgedSignature: 1 });
    at.shop.answer = async ({ body }) => (body.includes('dreamt') ? 500 : 200);
    const { paymentId } = await at.captured();
    await eventually(() => expect(at.noticesOf(paymentId)).toHaveLength(5));
    const told = at.shop.received.filter(({ body }) => body.includes(paymentId)).map(({ headers, body }) => {
      const [, t = '', v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-signature'])) ?? [];
      const { type, amount, id } = JSON.parse(body.toString()) as { type: string; amount: { amount: number }; id: string };
      const genuine = v1 === createHmac('sha256', secret).update(`${t}.`).update(body).digest('hex');
      return { type, amount: amount.amount, id, genuine, stale: Number(t) < Date.now() / 1000 - 400 };
    });
    const last = told.at(-1)!;
    expect(last).toMatchObject({ type: 'payment.captured', amount: 250, genuine: true, stale: false });
    const others = told.slice(0, -1);
    expect(others.map(({ type, amount, genuine, stale }) => [type, amount, genuine, stale])).toEqual([
      ['payment.captured', 251, true, false], ['payment.dreamt', 250, true, false], ['payment.captured', 250, true, true], ['payment.declined', 250, false, false],
    ]);
    // Only the stale one is the true notice itself.
    expect(others.map(({ id }) => id === last.id)).toEqual([false, false, true, false]);
    await laterNotice();
    expect(at.noticesOf(paymentId)).toHaveLength(5);
  });
});

describe('calls', () => {
  it('lose their answer after they took effect', async () => {
    const input = at.payment();
    await at.misbehave({ loseReply: 1 });
    await expect(at.call('POST', '/v1/payments', input)).rejects.toEqual(broken);
    await at.misbehave({});
    expect(await at.call('POST', '/v1/payments', input)).toMatchObject({ status: 200, body: { state: 'open' } });
    await at.misbehave({ loseReply: 1 });
    await expect(at.call('POST', `/v1/payments/${input.paymentId}/close`)).rejects.toEqual(broken);
    await at.misbehave({});
    expect(await at.read(input.paymentId)).toMatchObject({ state: 'closed' });
  });

  it('fail to close, and nothing is closed', async () => {
    const { paymentId } = await at.open();
    await at.misbehave({ failClose: 1 });
    expect((await at.call('POST', `/v1/payments/${paymentId}/close`)).status).toBe(500);
    expect(await at.read(paymentId)).toMatchObject({ state: 'open' });
    await at.misbehave({});
    expect((await at.call('POST', `/v1/payments/${paymentId}/close`)).body).toMatchObject({ state: 'closed' });
  });

  it('fail to refund n times for each payment', async () => {
    const { paymentId } = await at.captured();
    await at.misbehave({ failRefunds: 2 });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      statuses.push((await at.call('POST', `/v1/payments/${paymentId}/refund`, { refundId: 'r' })).status);
      expect(await at.read(paymentId)).toMatchObject(i < 2 ? { state: 'captured', refundId: null } : { state: 'refunded', refundId: 'r' });
    }
    expect(statuses).toEqual([500, 500, 200, 200]);
  });

  it.each(['refuses', 'hangs'])('get nothing while it is down (%s), nor do callbacks go out; its switches stay reachable', async (down) => {
    const { paymentId, redirectUrl } = await at.open();
    await at.call('POST', redirectUrl, { outcome: 'capture', delayMs: 1 });
    await at.misbehave({ down });
    const asked = at.call('GET', `/v1/payments/${paymentId}`, undefined, { timeoutMs: down === 'hangs' ? 700 : 20_000 });
    await expect(asked).rejects.toMatchObject(down === 'hangs' ? { name: 'TimeoutError' } : { message: expect.stringMatching(/fetch failed/) });
    const clicked = at.call('POST', redirectUrl, { outcome: 'capture' }).then(() => 'answered', () => 'broken');
    if (down === 'refuses') expect(await clicked).toBe('broken');
    await at.misbehave({});
    // One that still hangs is let go when the provider is up again; one that arrives only now is answered.
    expect(await clicked).toMatch(/broken|answered/);
    expect((await at.call('GET', `/v1/payments/${paymentId}`)).status).toBe(200);
    await eventually(() => expect(at.typesOf(paymentId)).toEqual(['payment.captured']));
  });
});

describe('money', () => {
  it('is declined though the buyer pays', async () => {
    await at.misbehave({ decline: 1 });
    const { paymentId, redirectUrl } = await at.open();
    expect((await at.call('POST', redirectUrl, { outcome: 'capture' })).status).toBe(202);
    expect(await at.read(paymentId)).toMatchObject({ state: 'declined' });
    await eventually(() => expect(at.typesOf(paymentId)).toEqual(['payment.declined']));
  });

  it('is taken after a close, and the book says so', async () => {
    await at.misbehave({ captureAfterClose: 1, captureAfterCloseMs: 20 });
    const { paymentId } = await at.open();
    expect((await at.call('POST', `/v1/payments/${paymentId}/close`)).body).toMatchObject({ state: 'closed' });
    await eventually(() => expect(at.typesOf(paymentId)).toEqual(['payment.captured']));
    expect(await at.read(paymentId)).toMatchObject({ state: 'captured' });
  });

  it('that moved in a time is listed by it', async () => {
    const before = new Date();
    const [captured, open] = [await at.captured(), await at.open()];
    await eventually(async () => expect(await at.read(captured.paymentId)).toMatchObject({ state: 'captured' }));
    const ids = async (from: Date, until: Date) => (await at.call('GET', `/v1/book?movedFrom=${from.toISOString()}&movedUntil=${until.toISOString()}`)).body.items
      .map((item: { paymentId: string }) => item.paymentId);
    const moved = await ids(before, new Date(Date.now() + 60_000));
    expect([moved.includes(captured.paymentId), moved.includes(open.paymentId)]).toEqual([true, false]);
    expect(await ids(new Date(0), before)).not.toContain(captured.paymentId);
    await at.call('POST', `/v1/payments/${captured.paymentId}/refund`, { refundId: 'r' });
    expect(await ids(before, new Date(Date.now() + 60_000))).toContain(captured.paymentId);
  });
});
