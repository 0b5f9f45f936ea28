import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hash32, type AttemptResult, type SaleDocument } from '@floodgate/contracts';
import { metrics } from '@floodgate/platform';
import { callOperation, type Given, type Got } from '../testing/contract.js';
import { aLane, aSale, bearer, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';
import { Switches } from '../switches/switches.js';
import { AttemptLimits } from './attempt-limits.js';
import { RequestLimits } from './request-limits.js';

let gateway: Gateway;
let client: StandInClient;
let version: number;
let nowMs: number;

beforeEach(async () => {
  client = new StandInClient().on('list-orders', () => ({ ok: true, value: { items: [], nextCursor: null } }));
  gateway = await startGateway(client);
  version = 0;
  nowMs = 0;
  for (const type of [RequestLimits, AttemptLimits]) gateway.app.get<{ now: () => number }>(type, { strict: false }).now = () => nowMs;
});
afterEach(() => gateway.close());

const turn = (values: Record<string, boolean | number>): void => gateway.app.get(Switches, { strict: false }).apply({ version: ++version, values });
const codeOf = ({ status, json }: Got): unknown[] => (status < 300 ? [status] : [status, json.code, ...(json.scope ? [json.scope] : [])]);
const limited = (scope: string): unknown[] => [429, 'RATE_LIMITED', scope];
const orders = (account: string, headers: Record<string, string> = {}) => callOperation(gateway.app, 'listMyOrders', { headers: { ...bearer(account, 'buyer'), ...headers } });
const from = (address: string) => ({ 'x-forwarded-for': address });

async function codes(times: number, send: () => Promise<Got>): Promise<unknown[]> {
  const all: unknown[] = [];
  for (let time = 0; time < times; time++) all.push(codeOf(await send()));
  return all;
}

function publish(sale: SaleDocument, admitted: string[] = []): SaleDocument {
  gateway.catalogue.approved(sale);
  gateway.board.applyWhole({ atMs: Date.now(), lanes: [aLane(sale, { admitted: admitted.map(hash32) })] }, gateway.board.gapCount);
  return sale;
}

const judge = (result: AttemptResult) => client.on('reserve', ({ attempts }) => ({ results: attempts.map(() => result) }));

function reserve(sale: SaleDocument, account: string, changes: { items?: string; entryToken?: string; key?: string } & Given = {}): Promise<Got> {
  const { items = `${sale.saleId}-1`, entryToken = gateway.entryTokens.issue({ saleId: sale.saleId, accountId: account, notBeforeMs: 0, expiresMs: Date.now() + 60_000 }), key = 'key', ...given } = changes;
  return callOperation(gateway.app, 'createReservation', {
    path: { saleId: sale.saleId }, body: { entryToken, items: [{ itemId: items, quantity: 1 }] }, ...given,
    headers: { ...bearer(account, 'buyer'), 'idempotency-key': key, ...given.headers },
  });
}

describe('requests of an address', () => {
  const one = { 'limits.ip.requests-per-minute': 60, 'limits.ip.burst': 2 };

  it('are not limited in development', async () => {
    expect(new Set((await codes(200, () => orders('a'))).flat())).toEqual(new Set([200]));
  });

  it('are limited, with a time after which to come again, and again after it', async () => {
    turn(one);
    expect(await codes(3, () => orders('a', from('1.1.1.1')))).toEqual([[200], [200], limited('ip')]);
    const got = await orders('a', from('1.1.1.1'));
    expect(got.json.retryAfterMs).toBeGreaterThanOrEqual(1_000);
    expect(got.json.retryAfterMs).toBeLessThanOrEqual(1_501);
    expect(Number(got.headers['retry-after'])).toBe(Math.ceil(got.json.retryAfterMs / 1_000));
    nowMs += 1_000;
    expect(await codes(2, () => orders('a', from('1.1.1.1')))).toEqual([[200], limited('ip')]);
    turn({ 'limits.ip.requests-per-minute': 0 });
    expect(await codes(2, () => orders('a', from('1.1.1.1')))).toEqual([[200], [200]]);
  });

  it('are those of the right-most untrusted hop: what a client writes into the header is its own words', async () => {
    turn(one);
    await codes(2, () => orders('a', from('1.1.1.1')));
    let spoofed = 0;
    expect(await codes(3, () => orders('a', from(`9.9.9.${spoofed++}, 1.1.1.1`)))).toEqual([limited('ip'), limited('ip'), limited('ip')]);
    expect(codeOf(await orders('a', from('1.1.1.1, 1.1.1.2')))).toEqual([200]);
  });

  it('are those of the whole /64', async () => {
    turn(one);
    let last = 1;
    expect(await codes(4, () => orders('a', from(`2001:db8:0:1::${(last++).toString(16)}`)))).toEqual([[200], [200], limited('ip'), limited('ip')]);
    expect(codeOf(await orders('a', from('2001:db8:0:2::1')))).toEqual([200]);
  });

  it('with forged tokens count, too, and staff, callbacks and probes never', async () => {
    turn(one);
    const forged = { authorization: 'Bearer a.b.c', ...from('1.1.1.1') };
    expect(await codes(3, () => callOperation(gateway.app, 'listMyOrders', { headers: forged }))).toEqual([[401, 'UNAUTHENTICATED'], [401, 'UNAUTHENTICATED'], limited('ip')]);
    client.on('get-switch', () => ({ ok: false, code: 'NOT_FOUND', detail: '' })).on('payment-notice', () => ({ ok: true, value: {} }));
    expect(await codes(4, () => callOperation(gateway.app, 'getSwitch', { path: { name: 'x' }, headers: { ...bearer('op', 'operator'), ...from('1.1.1.1') } }))).not.toContainEqual(limited('ip'));
    expect(await codes(4, () => callOperation(gateway.app, 'receivePaymentCallback', { path: { provider: 'sandbox' }, body: {}, headers: from('1.1.1.1') }))).toEqual([[200], [200], [200], [200]]);
    expect(await codes(4, () => callOperation(gateway.app, 'getLiveness', { headers: from('1.1.1.1') }))).toEqual([[200], [200], [200], [200]]);
  });
});

describe('requests of an account', () => {
  it('are limited wherever they come from, and only with a good token', async () => {
    turn({ 'limits.account.requests-per-minute': 60, 'limits.account.burst': 2 });
    let last = 1;
    expect(await codes(3, () => orders('a', from(`1.1.1.${last++}`)))).toEqual([[200], [200], limited('account')]);
    expect(codeOf(await orders('b'))).toEqual([200]);
    expect(await codes(3, () => callOperation(gateway.app, 'getTime', {}))).not.toContainEqual(limited('account'));
  });
});

describe('a reservation beyond a limit', () => {
  const one = { 'limits.account.requests-per-minute': 1, 'limits.account.burst': 1 };

  it('of a stranger is refused from memory, in its place of the order', async () => {
    const sale = publish(aSale());
    judge({ word: 'sold-out', itemId: `${sale.saleId}-1`, remaining: 0, mayReturn: false });
    turn({ 'limits.account.requests-per-minute': 6, 'limits.account.burst': 6 });
    for (let time = 0; time < 6; time++) await orders('a');
    expect(codeOf(await reserve(sale, 'a', { headers: { 'idempotency-key': '' } }))).toEqual([400, 'INVALID_REQUEST']);
    expect(codeOf(await reserve(sale, 'a', { entryToken: 'forged' }))).toEqual([403, 'ENTRY_TOKEN_INVALID']);
    expect(codeOf(await reserve(sale, 'a', { items: 'unknown' }))).toEqual([404, 'ITEM_NOT_FOUND']);
    expect(codeOf(await reserve(sale, 'a'))).toEqual(limited('account'));
    expect(client.count('reserve')).toBe(0);
    const paused = publish(aSale({ saleId: 'Sale000002', state: 'PAUSED' }));
    expect(codeOf(await reserve(paused, 'a'))).toEqual([409, 'SALE_PAUSED']);
  });

  it('of somebody who was admitted still reaches the replay, however often, and otherwise its 429', async () => {
    const sale = publish(aSale(), ['a']);
    turn(one);
    await orders('a');
    judge({ word: 'replayed', number: 1, reservedAtMs: 1 });
    expect(await codes(40, () => reserve(sale, 'a'))).toEqual(Array.from({ length: 40 }, () => [202]));
    expect(client.bodies('reserve').at(-1)?.attempts[0]?.gate).toBe('rate-limited-account');
    judge({ word: 'gated' });
    expect(codeOf(await reserve(sale, 'a', { key: 'other' }))).toEqual(limited('account'));
  });

  it('after a 202 of this gateway reaches the replay before the board has told of it', async () => {
    const sale = publish(aSale());
    judge({ word: 'reserved', number: 1, reservedAtMs: 1 });
    expect(codeOf(await reserve(sale, 'a'))).toEqual([202]);
    turn(one);
    await orders('a');
    judge({ word: 'replayed', number: 1, reservedAtMs: 1 });
    expect(codeOf(await reserve(sale, 'a'))).toEqual([202]);
  });

  it('is not even read when it is a flood: its token neither, unless the account was admitted', async () => {
    const sale = publish(aSale(), ['winner']);
    turn({ 'limits.ip.requests-per-minute': 1, 'limits.ip.burst': 1 });
    judge({ word: 'gated' });
    const forged = () => reserve(sale, 'x', { headers: { authorization: 'Bearer a.b.c' } });
    expect(await codes(4, forged)).toEqual([[401, 'UNAUTHENTICATED'], [401, 'UNAUTHENTICATED'], limited('ip'), limited('ip')]);
    expect(codeOf(await reserve(sale, 'winner'))).toEqual(limited('ip'));
    expect(client.bodies('reserve').at(-1)?.attempts[0]?.gate).toBe('rate-limited-ip');
  });

  it('before the opening is told so, and never asked of seckill', async () => {
    const sale = publish(aSale({ opensAtMs: Date.now() + 60_000 }));
    turn({ 'limits.ip.requests-per-minute': 1, 'limits.ip.burst': 1 });
    expect(new Set((await codes(50, () => reserve(sale, 'a'))).map(String))).toEqual(new Set(['425,SALE_NOT_OPEN']));
    expect(client.count('reserve')).toBe(0);
  });
});

describe('attempts in a sale', () => {
  it('of one account are limited by the sale', async () => {
    const sale = publish(aSale({ limits: { perAccount: 2, perIp: null, attemptsPerMinute: 2 } }));
    const other = publish(aSale({ saleId: 'Sale000002', limits: { perAccount: 2, perIp: null, attemptsPerMinute: 2 } }));
    gateway.board.applyWhole({ atMs: Date.now(), lanes: [aLane(sale), aLane(other)] }, gateway.board.gapCount);
    judge({ word: 'limit-reached', scope: 'sale', limit: 2 });
    expect(await codes(3, () => reserve(sale, 'a'))).toEqual([[409, 'LIMIT_REACHED', 'sale'], [409, 'LIMIT_REACHED', 'sale'], limited('sale')]);
    expect(codeOf(await reserve(sale, 'b'))).toEqual([409, 'LIMIT_REACHED', 'sale']);
    expect(codeOf(await reserve(other, 'a'))).toEqual([409, 'LIMIT_REACHED', 'sale']);
    nowMs += 30_000;
    expect(await codes(2, () => reserve(sale, 'a'))).toEqual([[409, 'LIMIT_REACHED', 'sale'], limited('sale')]);
  });

  it('of everybody are limited by a switch', async () => {
    const sale = publish(aSale());
    judge({ word: 'limit-reached', scope: 'sale', limit: 2 });
    turn({ 'limits.sale.attempts-per-minute': 20 });
    let number = 0;
    expect(await codes(3, () => reserve(sale, `a${number++}`))).toEqual([[409, 'LIMIT_REACHED', 'sale'], [409, 'LIMIT_REACHED', 'sale'], limited('sale')]);
  });
});

describe('requests under way', () => {
  it('are bounded per class, and leave the others their share', async () => {
    turn({ 'in-flight.reads-max': 1 });
    let answer = (): void => undefined;
    client.on('list-orders', () => new Promise((resolve) => { answer = () => resolve({ ok: true, value: { items: [], nextCursor: null } }); }))
      .on('payment-notice', () => ({ ok: true, value: {} }));
    const first = orders('a');
    while (client.count('list-orders') === 0) await new Promise((resolve) => { setImmediate(resolve); });
    expect(codeOf(await orders('b'))).toEqual([503, 'OVERLOADED']);
    expect(codeOf(await callOperation(gateway.app, 'receivePaymentCallback', { path: { provider: 'sandbox' }, body: {} }))).toEqual([200]);
    answer();
    expect(codeOf(await first)).toEqual([200]);
    client.on('list-orders', () => ({ ok: true, value: { items: [], nextCursor: null } }));
    while (codeOf(await orders('b'))[0] !== 200) await new Promise((resolve) => { setImmediate(resolve); });
  });
});

describe('what is switched off', () => {
  it.each([
    ['reservations.enabled', 'createReservation', { saleId: 'x' }], ['entry-tokens.enabled', 'createEntryToken', { saleId: 'x' }], ['entry-tokens.enabled', 'createChallenge', { saleId: 'x' }],
    ['payments.enabled', 'startPayment', { id: 'x' }], ['streams.enabled', 'streamReservation', { id: 'x' }],
  ])('%s: %s is UNAVAILABLE, and back when it is on again', async (name, operation, path) => {
    const send = () => callOperation(gateway.app, operation, { path, headers: bearer('a', 'buyer') });
    turn({ [name]: false });
    expect(codeOf(await send())).toEqual([503, 'UNAVAILABLE']);
    turn({ [name]: true });
    expect((await send()).json.detail).not.toContain('switched off');
  });
});

it('refusals are counted by code and scope, and by nothing that a client can choose', async () => {
  turn({ 'limits.ip.requests-per-minute': 1, 'limits.ip.burst': 1 });
  const before = await seriesOf('ip');
  await codes(3, () => orders('a', from('7.7.7.7')));
  expect(await seriesOf('ip') - before).toBe(2);
});

async function seriesOf(scope: string): Promise<number> {
  const { values } = await metrics.getSingleMetric('floodgate_refusals_total')!.get();
  return values.find(({ labels }) => labels['code'] === 'RATE_LIMITED' && labels['scope'] === scope)?.value ?? 0;
}
