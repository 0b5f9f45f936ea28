import { createHmac, randomUUID } from 'node:crypto';
import { expectStatus } from '../support/api.js';
import { admin, get, send, type Answer, type BadCase, type NotHere, type World } from './bad-case.js';

const badSignature = { status: 401, code: 'BAD_SIGNATURE' } as const;
const invalid = { status: 400, code: 'INVALID_REQUEST' } as const;
const seconds = (): number => Math.floor(Date.now() / 1000);
const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex');

const notice = (w: World, changes: Record<string, unknown> = {}): Record<string, unknown> =>
  ({ id: randomUUID(), type: 'payment.captured', paymentId: 'pay-none', orderId: w.orderId, amount: { amount: 250, currency: 'GBP' }, occurredAt: new Date().toISOString(), ...changes });
const header = (w: World, body: string, at: number | string = seconds()): string => `t=${at},v1=${hmac(w.webhookSecret, `${at}.${body}`)}`;
const callback = (w: World, body: string, signature: string | undefined): Promise<Answer> =>
  send(w, 'POST', '/v1/payments/callbacks/sandbox', { body, headers: signature === undefined ? {} : { 'x-signature': signature } });
const told = (w: World, changes: Record<string, unknown>): Promise<Answer> => {
  const body = JSON.stringify(notice(w, changes));
  return callback(w, body, header(w, body));
};

/** Spoils a good signature header. */
const signatures: Record<string, (w: World, body: string) => string> = {
  'with the hex in upper case': (w, body) => `t=${seconds()},v1=${hmac(w.webhookSecret, `${seconds()}.${body}`).toUpperCase()}`,
  'with 0x before it': (w, body) => header(w, body).replace('v1=', 'v1=0x'),
  'cut short': (w, body) => header(w, body).slice(0, -2),
  'that is empty': () => 't=,v1=',
  'without a time': (w, body) => header(w, body).replace(/^t=\d+,/, ''),
};
const times: Record<string, () => number | string> = {
  'six minutes old': () => seconds() - 360, 'six minutes ahead': () => seconds() + 360, 'NaN': () => 'NaN', 'negative': () => -5, 'in milliseconds': () => Date.now(),
};

/** Numbers 97 to 120: states, webhooks, operators. */
export const stateCases: readonly BadCase[] = [
  { n: 101, sent: 'a payment of a paid order', status: 409, code: 'INVALID_TRANSITION', go: (w) => pay(w) },
  { n: 102, sent: 'a cancel of a paid order', status: 409, code: 'INVALID_TRANSITION', go: (w) => send(w, 'POST', `/v1/orders/${w.paid.orderId}/cancel`, { token: w.paid.buyer.token, key: randomUUID() }) },
  { n: 103, sent: 'the state of an unknown reservation', status: 404, code: 'NOT_FOUND', go: (w) => get(w, '/v1/reservations/unknown', w.buyer.token) },
  ...['limit=-1', 'limit=0', 'limit=1000000000', 'limit=abc', 'limit=1.5', 'cursor=tampered', 'cursor=%00'].map((query): BadCase => ({ n: 104, sent: `a page with ${query}`, ...invalid, go: (w) => get(w, `/v1/me/orders?${query}`, w.buyer.token) })),
  { n: 105, sent: 'events without a token', status: 401, code: 'UNAUTHENTICATED', go: (w) => get(w, `/v1/reservations/${w.orderId}/events`) },

  { n: 106, sent: 'a callback without a signature', ...badSignature, go: (w) => callback(w, JSON.stringify(notice(w)), undefined) },
  { n: 106, sent: 'a callback with a wrong signature', ...badSignature, go: (w) => callback(w, JSON.stringify(notice(w)), `t=${seconds()},v1=${hmac('x', 'x')}`) },
  { n: 106, sent: 'a callback signed over the same JSON written otherwise', ...badSignature, go: (w) => {
    const body = notice(w);
    return callback(w, JSON.stringify(body, null, 1), header(w, JSON.stringify(body)));
  } },
  ...Object.entries(times).map(([words, at]): BadCase => ({ n: 107, sent: `a callback whose time is ${words}`, ...badSignature, go: (w) => {
    const body = JSON.stringify(notice(w));
    return callback(w, body, header(w, body, at()));
  } })),
  { n: 108, sent: 'two signatures, one of them valid (a rotation)', status: 200, go: (w) => {
    const body = JSON.stringify(notice(w));
    const at = seconds();
    return callback(w, body, `t=${at},v1=${hmac('the old secret', `${at}.${body}`)},v1=${hmac(w.webhookSecret, `${at}.${body}`)}`);
  } },
  ...Object.entries(signatures).map(([words, spoil]): BadCase => ({ n: 109, sent: `a signature ${words}`, ...badSignature, go: (w) => {
    const body = JSON.stringify(notice(w));
    return callback(w, body, spoil(w, body));
  } })),
  { n: 110, sent: 'an event id again, with another body (told apart, changes nothing)', status: 200, go: async (w) => {
    const id = randomUUID();
    await told(w, { id });
    return told(w, { id, amount: { amount: 1, currency: 'GBP' } });
  } },
  { n: 111, sent: 'a valid notice at another provider\'s address', status: [401, 404], go: (w) => {
    const body = JSON.stringify(notice(w));
    return send(w, 'POST', '/v1/payments/callbacks/other', { body, headers: { 'x-signature': header(w, body) } });
  } },
  { n: 112, sent: 'an unknown event type', status: 200, go: (w) => told(w, { type: 'payment.teleported' }) },
  ...[{ amount: 0, currency: 'GBP' }, { amount: 249, currency: 'GBP' }, { amount: 250, currency: 'USD' }].map((amount): BadCase => ({ n: 113, sent: `a capture of ${JSON.stringify(amount)}`, status: 200, go: (w) => told(w, { amount }) })),
  ...[{ amount: -1, currency: 'GBP' }, { amount: '250', currency: 'GBP' }, { amount: 2.5, currency: 'GBP' }].map((amount): BadCase => ({ n: 113, sent: `a capture of ${JSON.stringify(amount)}`, status: [200, 400], go: (w) => told(w, { amount }) })),
  { n: 114, sent: 'a capture for an unknown order', status: 200, go: (w) => told(w, { orderId: 'none.none' }) },

  { n: 116, sent: 'more units taken back than are free', status: 409, code: 'INSUFFICIENT_STOCK', go: (w) => changeStock(w, { delta: -1_000_000, reason: 'test' }) },
  ...[{ delta: 0, reason: 'x' }, { delta: 1.5, reason: 'x' }, { delta: '1', reason: 'x' }, { delta: 1 }, { delta: 1, reason: '' }].map((body): BadCase => ({ n: 118, sent: `a stock change ${JSON.stringify(body)}`, ...invalid, go: (w) => changeStock(w, body) })),
  ...saleFaults().map(([words, changes, items]): BadCase => ({ n: 117, sent: `a sale ${words}`, ...invalid, go: (w) => admin(w, 'merchant', 'POST', '/sales', w.api.saleInput(items, changes)) })),
  { n: 118, sent: 'an approval by who submitted it', status: 403, code: 'FORBIDDEN', go: selfApproval, sells: true },
  { n: 119, sent: 'a replay of a dead letter with a body', ...invalid, go: (w) => admin(w, 'operator', 'POST', '/dead-letters/none/replay', { body: 'edited' }) },
];

export const statesNotHere: readonly NotHere[] = [
  { n: 89, why: 'Proof-of-work: apps/gateway/src/admission (the challenge\'s specs).' },
  { n: 90, why: 'Proof-of-work: apps/gateway/src/admission (the challenge\'s specs).' },
  { n: 97, why: 'To the millisecond, with wrong clocks: test/e2e/window-edges.e2e-spec.ts.' },
  { n: 98, why: 'test/e2e/refusals.e2e-spec.ts (paused) and test/e2e/faults.e2e-spec.ts (a rebuild).' },
  { n: 99, why: 'test/e2e/refusals.e2e-spec.ts.' },
  { n: 100, why: 'Number 44, and test/e2e/refusals.e2e-spec.ts.' },
  { n: 115, why: 'No route takes an address to call yet; the client for such calls is tested in libs/platform.' },
  { n: 120, why: 'Imports of codes: test/e2e/codes.e2e-spec.ts.' },
];

const pay = (w: World): Promise<Answer> =>
  send(w, 'POST', `/v1/orders/${w.paid.orderId}/payments`, { token: w.paid.buyer.token, key: randomUUID(), body: { provider: 'sandbox' } });

const changeStock = (w: World, body: unknown): Promise<Answer> =>
  send(w, 'POST', `/v1/admin/sales/${w.saleId}/items/${w.itemIds[0]}/stock`, { token: w.api.as('o-test', 'operator'), key: randomUUID(), body });

function saleFaults(): [string, Record<string, unknown>, Record<string, unknown>[]][] {
  const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
  const two = [{ skuId: 'same' }, { skuId: 'same' }];
  return [
    ['that closes before it opens', { opensAt: at(60_000), closesAt: at(30_000) }, [{}]],
    ['that closes when it opens', { opensAt: '2030-01-01T00:00:00.000Z', closesAt: '2030-01-01T00:00:00.000Z' }, [{}]],
    ['with times that are none', { opensAt: 'tomorrow' }, [{}]],
    ['with the same SKU twice', {}, two],
    ['without items', {}, []],
    ['of minus one unit', {}, [{ quota: -1 }]],
    ['at a price below nothing', {}, [{ price: { amount: -1, currency: 'GBP' } }]],
    ['in two currencies', {}, [{}, { price: { amount: 1, currency: 'USD' } }]],
    ['of a merchant who is not the caller', { merchantId: 'm-else' }, [{}]],
    ['with a payment window of no time', { paymentWindowSeconds: 0 }, [{}]],
    ['by lottery, which is not built', { mode: 'lottery' }, [{}]],
    ['with a limit of nothing', { limits: { perAccount: 0 } }, [{}]],
  ];
}

async function selfApproval(w: World): Promise<Answer> {
  const draft = expectStatus(201, await w.api.admin('merchant', 'POST', '/sales', w.api.saleInput([{}])));
  expectStatus(200, await w.api.admin('merchant', 'POST', `/sales/${draft.id}/submit`));
  return send(w, 'POST', `/v1/admin/sales/${draft.id}/approve`, { token: w.api.as('m-test', 'merchant', 'approver') });
}
