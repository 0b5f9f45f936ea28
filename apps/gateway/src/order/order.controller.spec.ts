import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer } from '@floodgate/contracts';
import { callOperation, type Given } from '../testing/contract.js';
import { aSale, bearer, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';

const rid = `${aSale().saleId}.${'r'.repeat(22)}`;
const notFound = { ok: false as const, code: 'NOT_FOUND' as const, detail: 'no row' };
let gateway: Gateway;
const client = new StandInClient();

beforeAll(async () => { gateway = await startGateway(client); });
beforeEach(() => { client.asked.length = 0; });
afterAll(() => gateway.close());

const call = (id: string, given: Given = {}) =>
  callOperation(gateway.app, id, { path: { id: rid }, ...given, headers: { ...bearer('buyer-1', 'buyer'), 'idempotency-key': 'key-1', ...given.headers } });

describe('an order', () => {
  it('is its owner\'s, and asked for by an id that can exist', async () => {
    client.on('get-order', () => notFound).on('find-reservation', () => ({ found: null, sure: true }));
    expect((await call('getOrder')).json.code).toBe('NOT_FOUND');
    expect(client.bodies('get-order')).toEqual([{ rid, accountId: 'buyer-1' }]);
    const before = client.asked.length;
    for (const id of ['getOrder', 'cancelOrder']) expect((await call(id, { path: { id: 'nothing' } })).status).toBe(404);
    expect(client.asked).toHaveLength(before);
  });

  it('that nobody can know of at the moment is unavailable, not missing', async () => {
    client.on('get-order', () => notFound).on('start-payment', () => notFound).on('find-reservation', () => ({ found: null, sure: false }));
    expect((await call('getOrder')).json.code).toBe('UNAVAILABLE');
    expect((await call('startPayment', { body: { provider: 'sandbox' } })).json.code).toBe('UNAVAILABLE');
  });

  it('that is still being made cannot be paid yet', async () => {
    const held = { rid, accountId: 'buyer-1', ipHash: '', items: [{ itemId: 'a', quantity: 1 }], number: 3, reservedAtMs: 5, lane: 0, version: 0, holds: true };
    client.on('start-payment', () => notFound).on('find-reservation', () => ({ found: held, sure: true }));
    expect((await call('startPayment', { body: { provider: 'sandbox' } })).json).toMatchObject({ code: 'INVALID_TRANSITION', state: 'QUEUED' });
  });
});

describe('a payment', () => {
  const payment = { paymentId: 'p1', provider: 'sandbox', amount: { amount: 5, currency: 'GBP' }, redirectUrl: 'http://127.0.0.1:1/pay/p1', expiresAt: '2026-01-01T00:00:00.000Z' };
  const started = (status: 200 | 201, replayed: boolean): Answer<'start-payment'> => ({ ok: true, value: { status, replayed, payment } });

  it.each([[201, false], [201, true], [200, false]] as const)('is answered %i, replayed %s, as the order service says', async (status, replayed) => {
    client.on('start-payment', () => started(status, replayed));
    const got = await call('startPayment', { body: { provider: 'sandbox', returnUrl: 'https://shop.example/done' } });
    expect([got.status, got.headers['idempotency-replayed'], got.json]).toEqual([status, replayed ? 'true' : undefined, payment]);
    expect(client.bodies('start-payment')).toEqual([{ rid, accountId: 'buyer-1', key: 'key-1', provider: 'sandbox', returnUrl: 'https://shop.example/done' }]);
  });

  it('of an order in another state is a 409 that names it; what is wrong with the request is told first', async () => {
    client.on('start-payment', () => ({ ok: false, code: 'INVALID_TRANSITION', detail: 'paid', extra: { state: 'PAID' } }));
    expect((await call('startPayment', { body: { provider: 'sandbox' } })).json).toMatchObject({ code: 'INVALID_TRANSITION', state: 'PAID' });
    const wrong = await call('startPayment', { body: { provider: '', returnUrl: 'not a url', amount: 1 }, headers: { 'idempotency-key': '' } });
    expect(wrong.json.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual(['/amount', '/headers/idempotency-key', '/provider', '/returnUrl']);
  });
});

describe('a cancellation', () => {
  const reservation = { rid, accountId: 'buyer-1', ipHash: '', items: [{ itemId: 'a', quantity: 1 }], number: 3, reservedAtMs: 5, lane: 0 };
  const cancelled: Answer<'cancel-order'> = { ok: true, value: { replayed: false, cancelled: { id: rid, state: 'RELEASED' } } };

  it('goes to the order', async () => {
    client.on('cancel-order', () => cancelled);
    expect((await call('cancelOrder')).json).toEqual({ id: rid, state: 'RELEASED' });
    expect(client.bodies('cancel-order')).toEqual([{ rid, accountId: 'buyer-1', key: 'key-1', reservation: null }]);
  });

  it('brings along what Redis knows while the order is being made', async () => {
    client.on('cancel-order', ({ reservation: given }) => (given ? cancelled : notFound)).on('find-reservation', () => ({ found: { ...reservation, version: 0, holds: true }, sure: true }));
    expect((await call('cancelOrder')).status).toBe(202);
    expect(client.bodies('cancel-order').at(-1)?.reservation).toEqual(reservation);
  });

  it('of what nobody knows is not found, and unavailable while nobody is sure; another\'s is not found', async () => {
    client.on('cancel-order', () => notFound).on('find-reservation', () => ({ found: null, sure: true }));
    expect((await call('cancelOrder')).json.code).toBe('NOT_FOUND');
    client.on('find-reservation', () => ({ found: null, sure: false }));
    expect((await call('cancelOrder')).json.code).toBe('UNAVAILABLE');
    client.on('find-reservation', () => ({ found: { ...reservation, accountId: 'buyer-2', version: 0, holds: true }, sure: true }));
    expect((await call('cancelOrder')).json.code).toBe('NOT_FOUND');
  });

  it('that was made before is replayed', async () => {
    client.on('cancel-order', () => ({ ok: true, value: { replayed: true, cancelled: { id: rid, state: 'RELEASED' } } }));
    expect((await call('cancelOrder')).headers['idempotency-replayed']).toBe('true');
  });
});

describe('a payment provider\'s notice', () => {
  it('is handed on byte for byte with its headers, never with somebody\'s token', async () => {
    client.on('payment-notice', () => ({ ok: true, value: {} }));
    const body = '{ "id": "n1",\n "amount": -1 }';
    const got = await callOperation(gateway.app, 'receivePaymentCallback', { path: { provider: 'sandbox' }, body, headers: { 'x-signature': 't=1,v1=ab', authorization: 'Bearer x', cookie: 'c=1' } });
    expect(got.status).toBe(200);
    const [asked] = client.bodies('payment-notice');
    expect([asked?.provider, Buffer.from(asked?.body ?? '', 'base64').toString(), asked?.headers['x-signature']]).toEqual(['sandbox', body, 't=1,v1=ab']);
    expect(asked?.headers).not.toMatchObject({ authorization: expect.anything() });
    expect(asked?.headers).not.toMatchObject({ cookie: expect.anything() });
  });

  it('is refused as the order service says', async () => {
    client.on('payment-notice', () => ({ ok: false, code: 'BAD_SIGNATURE', detail: 'wrong' }));
    expect((await callOperation(gateway.app, 'receivePaymentCallback', { path: { provider: 'sandbox' }, body: '{"broken' })).json.code).toBe('BAD_SIGNATURE');
    expect((await callOperation(gateway.app, 'receivePaymentCallback', { path: { provider: 'sandbox' }, body: 'x', headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  });
});
