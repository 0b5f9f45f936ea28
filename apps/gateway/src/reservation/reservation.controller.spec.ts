import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hash32, reservationId, type AttemptResult, type BoardLane, type SaleDocument } from '@floodgate/contracts';
import { callOperation, type Given, type Got } from '../testing/contract.js';
import { aLane, aSale, bearer, hour, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';

const buyer = 'buyer-1';
let gateway: Gateway;
let client: StandInClient;
let seq: number;

beforeEach(async () => {
  seq = 0;
  client = new StandInClient().on('get-sale', () => ({ ok: false, code: 'NOT_FOUND', detail: 'no such sale' }));
  gateway = await startGateway(client);
});
afterEach(() => gateway.close());

/** Makes the sale known, and its lane as seckill would tell it. */
function publish(sale: SaleDocument, lane: Partial<BoardLane> | null = {}): SaleDocument {
  gateway.catalogue.approved(sale);
  gateway.board.applyWhole({ atMs: Date.now(), lanes: lane ? [aLane(sale, lane)] : [] }, gateway.board.gapCount);
  return sale;
}

/** Only the clock and the sale are known: whatever can be is left to seckill. */
function publishUnseen(sale: SaleDocument): SaleDocument {
  gateway.catalogue.approved(sale);
  gateway.board.apply({ source: 'seckill', seq: seq++, atMs: Date.now(), lanes: [] });
  return sale;
}

const judge = (result: AttemptResult) => client.on('reserve', ({ attempts }) => ({ results: attempts.map(() => result) }));

function reserve(sale: SaleDocument, changes: Given = {}): Promise<Got> {
  const body = { entryToken: gateway.entryTokens.issue({ saleId: sale.saleId, accountId: buyer, notBeforeMs: 0, expiresMs: Date.now() + 60_000 }), items: [{ itemId: `${sale.saleId}-1`, quantity: 1 }] };
  return callOperation(gateway.app, 'createReservation', {
    path: { saleId: sale.saleId }, body, ...changes, headers: { ...bearer(buyer, 'buyer'), 'idempotency-key': 'key-1', ...changes.headers },
  });
}

const codeOf = ({ status, json }: Got): [number, string] => [status, json.code];

describe('an attempt that seckill admits', () => {
  const reservedAtMs = Date.UTC(2026, 10, 27, 10, 0, 0, 412);

  it('is answered 202 with the id that was known before, number, receipt and the time it was judged', async () => {
    const sale = publish(aSale());
    judge({ word: 'reserved', number: 317, reservedAtMs });
    const got = await reserve(sale);
    expect(got.status).toBe(202);
    expect(got.headers['idempotency-replayed']).toBeUndefined();
    const rid = reservationId(sale.saleId, sale.ridSecret, buyer, 'key-1');
    expect(got.json).toMatchObject({ reservationId: rid, state: 'QUEUED', number: 317, statusUrl: `/v1/reservations/${rid}`, judgedAt: '2026-11-27T10:00:00.412Z' });
    expect(got.json.receipt).toMatch(/^rc1\.[\w-]+\.[\w-]{43}$/);
    const [body] = client.bodies('reserve');
    expect(body?.attempts).toEqual([{ rid, accountId: buyer, ipHash: '', gate: 'clear', items: `${sale.saleId}-1:1` }]);
    expect((body?.deadlineAtMs ?? 0) - Date.now()).toBeGreaterThan(1_000);
  });

  it('and is replayed word for word, whatever the order of the items', async () => {
    const sale = publish(aSale());
    const items = [{ itemId: `${sale.saleId}-2`, quantity: 1 }, { itemId: `${sale.saleId}-1`, quantity: 2 }];
    const tokenUntil = (ms: number) => gateway.entryTokens.issue({ saleId: sale.saleId, accountId: buyer, notBeforeMs: 0, expiresMs: Date.now() + ms });
    judge({ word: 'reserved', number: 5, reservedAtMs });
    const first = await reserve(sale, { body: { entryToken: tokenUntil(60_000), items } });
    judge({ word: 'replayed', number: 5, reservedAtMs });
    // Before the board has told of the admission, and with a token that has expired by now.
    const second = await reserve(sale, { body: { entryToken: tokenUntil(-1), items: items.toReversed() } });
    expect([second.status, second.headers['idempotency-replayed']]).toEqual([202, 'true']);
    expect(second.text).toBe(first.text);
  });

  it('is counted by address only where the sale asks for it', async () => {
    const sale = publish(aSale({ limits: { perAccount: null, perIp: 1 } }));
    judge({ word: 'reserved', number: 1, reservedAtMs });
    await reserve(sale, { headers: { 'x-forwarded-for': '8.8.8.8' } });
    await reserve(sale, { headers: { 'x-forwarded-for': '1.1.1.1, 8.8.8.8' } });
    await reserve(sale, { headers: { 'x-forwarded-for': '8.8.4.4' } });
    const hashes = client.bodies('reserve').map(({ attempts }) => attempts[0]?.ipHash);
    expect(hashes[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });
});

describe('the order of refusals', () => {
  /** Everything is wrong at first; each step puts one thing right, and the next refusal shows. */
  it('is the order of the contract, down to the sale', async () => {
    const sale = publishUnseen(aSale());
    const wrong: Given = { path: { saleId: 'Unknown001' }, body: { items: [] }, headers: { authorization: 'Bearer x', 'idempotency-key': '' } };
    expect(codeOf(await reserve(sale, wrong))).toEqual([401, 'UNAUTHENTICATED']);
    expect(codeOf(await reserve(sale, { ...wrong, headers: { ...bearer(buyer, 'merchant'), 'idempotency-key': '' } }))).toEqual([403, 'FORBIDDEN']);
    expect(codeOf(await reserve(sale, { ...wrong, headers: { 'idempotency-key': '' } }))).toEqual([400, 'INVALID_REQUEST']);
    const body = { entryToken: 'et1.forged.token', items: [{ itemId: 'nothing', quantity: 1 }] };
    expect(codeOf(await reserve(sale, { path: { saleId: 'Unknown001' }, body }))).toEqual([404, 'SALE_NOT_FOUND']);
    expect(client.count('reserve')).toBe(0);
  });

  it.each<[AttemptResult, number, string, object]>([
    [{ word: 'key-reused' }, 422, 'IDEMPOTENCY_KEY_REUSED', {}],
    [{ word: 'not-open' }, 425, 'SALE_NOT_OPEN', { opensAt: expect.any(String) }],
    [{ word: 'paused' }, 409, 'SALE_PAUSED', {}],
    [{ word: 'ended' }, 409, 'SALE_ENDED', {}],
    [{ word: 'item-not-found', itemId: 'nothing' }, 404, 'ITEM_NOT_FOUND', {}],
    [{ word: 'limit-reached', scope: 'item', limit: 1 }, 409, 'LIMIT_REACHED', { scope: 'item', limit: 1 }],
    [{ word: 'limit-reached', scope: 'sale', limit: 2 }, 409, 'LIMIT_REACHED', { scope: 'sale', limit: 2 }],
    [{ word: 'limit-reached', scope: 'ip', limit: 3 }, 409, 'LIMIT_REACHED', { scope: 'ip', limit: 3 }],
    [{ word: 'sold-out', itemId: 'Sale000001-1', remaining: 1, mayReturn: true }, 409, 'SOLD_OUT', { itemId: 'Sale000001-1', remaining: 1, mayReturn: true }],
    [{ word: 'unavailable' }, 503, 'UNAVAILABLE', { retryAfterMs: expect.any(Number) }],
    [{ word: 'outcome-unknown' }, 503, 'OUTCOME_UNKNOWN', { reservationId: expect.any(String), statusUrl: expect.stringMatching(/^\/v1\/reservations\//) }],
  ])('gives seckill\'s word %j as %i %s', async (result, status, code, extra) => {
    const sale = publish(aSale());
    judge(result);
    const got = await reserve(sale);
    expect(codeOf(got)).toEqual([status, code]);
    expect(got.json).toMatchObject(extra);
  });

  it.each([
    ['of another account', (sale: SaleDocument) => gateway.entryTokens.issue({ saleId: sale.saleId, accountId: 'buyer-2', notBeforeMs: 0, expiresMs: Date.now() + hour }), 'entry-token-forged'],
    ['of another sale', () => gateway.entryTokens.issue({ saleId: 'Sale000002', accountId: buyer, notBeforeMs: 0, expiresMs: Date.now() + hour }), 'entry-token-forged'],
    ['that is none', () => 'et1.b3BlbiBzZXNhbWU.Zm9yIHNob3c', 'entry-token-forged'],
    ['that has expired', (sale: SaleDocument) => gateway.entryTokens.issue({ saleId: sale.saleId, accountId: buyer, notBeforeMs: 0, expiresMs: Date.now() - 1 }), 'entry-token-expired'],
  ])('leaves an entry token %s to be judged after replay and state', async (_, tokenOf, gate) => {
    const sale = publish(aSale(), { atMs: Date.now() - 10_000 });
    judge({ word: 'gated' });
    const body = { entryToken: tokenOf(sale), items: [{ itemId: `${sale.saleId}-1`, quantity: 1 }] };
    expect(codeOf(await reserve(sale, { body }))).toEqual([403, 'ENTRY_TOKEN_INVALID']);
    expect(client.bodies('reserve')[0]?.attempts[0]?.gate).toBe(gate);
    // Where the board knows that the sale sells and that this account never got anything, seckill need not be asked.
    publish(sale);
    expect(codeOf(await reserve(sale, { body }))).toEqual([403, 'ENTRY_TOKEN_INVALID']);
    expect(client.count('reserve')).toBe(1);
    publish(sale, { admitted: [hash32(buyer)] });
    judge({ word: 'replayed', number: 1, reservedAtMs: 1 });
    expect((await reserve(sale, { body })).status).toBe(gate === 'entry-token-forged' ? 403 : 202);
  });

  it.each([
    ['nobody answers', 'UNROUTABLE', 'UNAVAILABLE'],
    ['there is no link', 'NOT_CONNECTED', 'UNAVAILABLE'],
    ['too much is open', 'OVERLOADED', 'OVERLOADED'],
    ['no answer comes', 'TIMEOUT', 'OUTCOME_UNKNOWN'],
    ['the link breaks', 'CLOSED', 'OUTCOME_UNKNOWN'],
    ['seckill fails', 'FAILED', 'OUTCOME_UNKNOWN'],
  ] as const)('says where %s whether something may be held: %s is %s', async (_, error, code) => {
    const sale = publish(aSale());
    client.fail('reserve', error);
    expect(codeOf(await reserve(sale))).toEqual([503, code]);
  });
});

describe('early refusals', () => {
  const anonymous: Given = { headers: { authorization: '', 'idempotency-key': '' }, body: '{"broken' };
  const upcoming = () => aSale({ opensAtMs: Date.now() + hour, closesAtMs: Date.now() + 2 * hour });
  const over = () => aSale({ opensAtMs: Date.now() - 2 * hour, closesAtMs: Date.now() - hour });
  const empty: Partial<BoardLane> = { items: [['Sale000001-1', 0, 0], ['Sale000001-2', -1, 3]] };

  it.each<[string, () => SaleDocument, Partial<BoardLane>, number, string, object]>([
    ['not open yet', upcoming, {}, 425, 'SALE_NOT_OPEN', {}],
    ['over by the clock', over, {}, 409, 'SALE_ENDED', {}],
    ['paused', () => aSale({ state: 'PAUSED' }), {}, 409, 'SALE_PAUSED', {}],
    ['closed', () => aSale({ state: 'ENDED' }), {}, 409, 'SALE_ENDED', {}],
    ['withdrawn', () => aSale({ state: 'WITHDRAWN' }), {}, 409, 'SALE_ENDED', {}],
    ['paused, as Redis knows first', () => aSale(), { version: 9, state: 'PAUSED' }, 409, 'SALE_PAUSED', {}],
    ['sold out', () => aSale(), empty, 409, 'SOLD_OUT', { remaining: 0, mayReturn: true }],
  ])('come for a sale that is %s, before token and body are read', async (_, sale, lane, status, code, extra) => {
    const published = publish(sale(), lane);
    const got = await reserve(published, anonymous);
    expect(codeOf(got)).toEqual([status, code]);
    expect(got.json).toMatchObject(extra);
    expect(client.count('reserve')).toBe(0);
  });

  it('never come for an account that was ever admitted: its replay is behind them', async () => {
    for (const sale of [over(), aSale({ state: 'WITHDRAWN' }), aSale()]) {
      publish({ ...sale, saleId: 'Sale000001' }, { ...empty, admitted: [hash32(buyer)] });
      judge({ word: 'replayed', number: 1, reservedAtMs: 1 });
      expect((await reserve(sale)).status).toBe(202);
    }
  });

  it.each<[string, () => SaleDocument, Partial<BoardLane>]>([
    ['while Redis is rebuilt', () => aSale(), { ...empty, selling: false }],
    ['from a reading before the pause: it does not name the last winners', () => aSale({ state: 'PAUSED', version: 5 }), { ...empty, version: 4, state: 'ARMED' }],
    ['from a reading before the end', () => aSale({ closesAtMs: Date.now() - 500 }), { ...empty, atMs: Date.now() - 600 }],
    ['from a board older than 3 s', () => aSale(), { ...empty, atMs: Date.now() - 3_100 }],
  ])('do not come %s', async (_, sale, lane) => {
    const published = publish(sale(), lane);
    judge({ word: 'reserved', number: 1, reservedAtMs: 1 });
    expect((await reserve(published)).status).toBe(202);
  });

  it.each([['opensAtMs', -50], ['opensAtMs', 50], ['closesAtMs', -50], ['closesAtMs', 50]] as const)('do not come at %s %i ms: only Redis knows on which side it is', async (boundary, offsetMs) => {
    const atMs = Date.now();
    const sale = publish(aSale({ [boundary]: atMs - offsetMs }), empty);
    gateway.clock.nowMs = () => atMs;
    judge({ word: 'reserved', number: 1, reservedAtMs: 1 });
    expect((await reserve(sale)).status).toBe(202);
    gateway.clock.nowMs = () => atMs + Math.sign(offsetMs);
    expect((await reserve(sale)).status).toBe(409 + 16 * Number(boundary === 'opensAtMs' && offsetMs < 0));
  });

  it('do not come after a missed broadcast, until the whole board was told', async () => {
    const sale = publish(aSale(), empty);
    expect(codeOf(await reserve(sale))).toEqual([409, 'SOLD_OUT']);
    gateway.board.apply({ source: 'seckill', seq: 7, atMs: Date.now(), lanes: [{ ...aLane(sale, empty), whole: false }] });
    judge({ word: 'reserved', number: 1, reservedAtMs: 1 });
    expect((await reserve(sale)).status).toBe(202);
    publish(sale, empty);
    expect(codeOf(await reserve(sale))).toEqual([409, 'SOLD_OUT']);
  });

  it('come for one item that has run out, to a checked account that was never admitted', async () => {
    const items = [['Sale000001-1', 0, 1], ['Sale000001-2', 3, 0]] as [string, number, number][];
    const sale = publish(aSale(), { items });
    const got = await reserve(sale);
    expect(codeOf(got)).toEqual([409, 'SOLD_OUT']);
    expect(got.json).toMatchObject({ itemId: 'Sale000001-1', remaining: 0, mayReturn: true });
    judge({ word: 'limit-reached', scope: 'sale', limit: 2 });
    publish(sale, { items, admitted: [hash32(buyer)] });
    expect(codeOf(await reserve(sale))).toEqual([409, 'LIMIT_REACHED']);
    publish({ ...sale, saleId: 'Sale000003' }, { items: [['Sale000003-1', 1, 0]] });
  });

  it('do not hide an item that does not exist', async () => {
    const sale = publish(aSale(), { items: [['Sale000001-1', 1, 0], ['Sale000001-2', 0, 0]] });
    judge({ word: 'item-not-found', itemId: 'Sale000001-9' });
    const body = { entryToken: gateway.entryTokens.issue({ saleId: sale.saleId, accountId: buyer, notBeforeMs: 0, expiresMs: Date.now() + 60_000 }), items: [{ itemId: 'Sale000001-9', quantity: 1 }] };
    expect(codeOf(await reserve(sale, { body }))).toEqual([404, 'ITEM_NOT_FOUND']);
  });
});

describe('a sale that Redis does not have', () => {
  const approved = (changes: Partial<SaleDocument> = {}) => aSale({ state: 'APPROVED', version: 3, ...changes });

  it('is not open before its time, and unavailable when it should be open', async () => {
    expect(codeOf(await reserve(publish(approved({ opensAtMs: Date.now() + hour }), null)))).toEqual([425, 'SALE_NOT_OPEN']);
    expect(codeOf(await reserve(publish(approved({ saleId: 'Sale000002' }), null)))).toEqual([503, 'UNAVAILABLE']);
  });

  it('is over when it was withdrawn before it was armed', async () => {
    expect(codeOf(await reserve(publish(approved({ state: 'WITHDRAWN' }), null)))).toEqual([409, 'SALE_ENDED']);
  });

  it('is unavailable while the gateway knows no clock', async () => {
    gateway.catalogue.approved(aSale());
    expect(codeOf(await reserve(aSale()))).toEqual([503, 'UNAVAILABLE']);
  });

  it('was approved just now at another gateway: it is listed before anybody is told that there is none', async () => {
    publish(aSale({ saleId: 'Sale000009' }));
    const sale = aSale();
    client
      .on('get-sale', () => ({ ok: true, value: { state: 'APPROVED', closesAt: '2099-01-01T00:00:00.000Z' } as never }))
      .on('list-published', () => ({ sales: [sale], next: null }));
    judge({ word: 'reserved', number: 1, reservedAtMs: 1 });
    gateway.board.applyWhole({ atMs: Date.now(), lanes: [aLane(sale)] }, null);
    expect((await reserve(sale)).status).toBe(202);
  });

  it('is not found while it is a draft, and unavailable while nobody can say', async () => {
    client.on('get-sale', () => ({ ok: true, value: { state: 'DRAFT' } as never }));
    expect(codeOf(await reserve(aSale()))).toEqual([404, 'SALE_NOT_FOUND']);
    client.fail('get-sale', 'UNROUTABLE');
    expect(codeOf(await reserve(aSale()))).toEqual([503, 'UNAVAILABLE']);
  });
});
