import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BoardLane, SaleDocument } from '@floodgate/contracts';
import { callOperation, type Given } from '../testing/contract.js';
import { aLane, aSale, bearer, hour, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';

let gateway: Gateway;
let client: StandInClient;

beforeEach(async () => {
  client = new StandInClient().on('get-sale', () => ({ ok: false, code: 'NOT_FOUND', detail: '' }));
  gateway = await startGateway(client);
});
afterEach(() => gateway.close());

function publish(sale: SaleDocument, lane: Partial<BoardLane> | null = {}): void {
  gateway.catalogue.approved(sale);
  gateway.board.applyWhole({ atMs: Date.now(), lanes: lane ? [aLane(sale, lane)] : [] }, gateway.board.gapCount);
}

const call = (id: string, given: Given = {}) => callOperation(gateway.app, id, given);

describe('the time', () => {
  it('is Redis\'s, and unavailable before it is known', async () => {
    expect((await call('getTime')).json.code).toBe('UNAVAILABLE');
    gateway.clock.see(Date.UTC(2030, 0, 1));
    expect((await call('getTime')).json.now).toMatch(/^2030-01-01T00:00:0/);
  });
});

describe('one sale', () => {
  const get = (saleId = 'Sale000001', query = '') => call('getSale', { path: { saleId }, query });

  it('shows what is left of each item', async () => {
    publish(aSale(), { items: [['Sale000001-1', 7, 0], ['Sale000001-2', -3, 3]] });
    const got = await get();
    expect(got.json.state).toBe('OPEN');
    expect(got.json.items.map(({ remaining, soldOut }: { remaining: number; soldOut: boolean }) => [remaining, soldOut])).toEqual([[7, false], [0, true]]);
    expect((await get('Sale000001', '?itemIds=Sale000001-2,Sale000001-9')).json.items).toHaveLength(1);
    expect((await get('Sale000001', '?itemIds=a%20b')).json.errors).toEqual([{ path: '/query/itemIds/0', message: expect.any(String) }]);
  });

  it('is never shown older than a second: seckill is asked, and without an answer nobody knows', async () => {
    const sale = aSale();
    publish(sale, { atMs: Date.now() - 1_500 });
    expect((await get()).json.code).toBe('UNAVAILABLE');
    client.on('get-board', ({ saleIds }) => ({ atMs: Date.now(), lanes: saleIds?.[0] === sale.saleId ? [aLane(sale, { items: [['Sale000001-1', 1, 0], ['Sale000001-2', 2, 0]] })] : [] }));
    const got = await get();
    expect(got.json.items.map(({ remaining }: { remaining: number }) => remaining)).toEqual([1, 2]);
    expect(Date.now() - Date.parse(got.json.asOf)).toBeLessThan(1_500);
  });

  it('that Redis does not have yet has its whole quota left', async () => {
    publish(aSale({ state: 'APPROVED', opensAtMs: Date.now() + hour, closesAtMs: Date.now() + 2 * hour }), null);
    const got = await get();
    expect([got.json.state, got.json.items.map(({ remaining }: { remaining: number }) => remaining)]).toEqual(['APPROVED', [10, 5]]);
  });

  it('that Redis has no more has nothing left; one that should be there is unavailable', async () => {
    publish(aSale({ state: 'WITHDRAWN' }), null);
    expect((await get()).json.items.map(({ remaining }: { remaining: number }) => remaining)).toEqual([0, 0]);
    publish(aSale({ saleId: 'Sale000002' }), null);
    expect((await get('Sale000002')).json.code).toBe('UNAVAILABLE');
  });

  it('that nobody published is not found', async () => {
    expect((await get('Unknown')).json.code).toBe('SALE_NOT_FOUND');
  });
});

describe('the list of sales', () => {
  const list = (query = '', headers: Record<string, string> = {}) => call('listSales', { query, headers });
  const ids = (json: { items: { id: string }[] }) => json.items.map(({ id }) => id);

  beforeEach(async () => {
    client.on('list-published', () => ({ sales: [], next: null }));
    await gateway.catalogue.refresh();
    const now = Date.now();
    publish(aSale({ saleId: 'Open', opensAtMs: now - hour }));
    publish(aSale({ saleId: 'Later', opensAtMs: now + hour, closesAtMs: now + 2 * hour, state: 'APPROVED' }), null);
    publish(aSale({ saleId: 'Over', opensAtMs: now - 3 * hour, closesAtMs: now - 2 * hour }));
    publish(aSale({ saleId: 'LongOver', opensAtMs: now - 40 * hour, closesAtMs: now - 25 * hour }));
  });

  it('has those that are upcoming, open, or over for less than a day, by opening', async () => {
    const got = await list();
    expect([ids(got.json), got.json.items.map(({ state }: { state: string }) => state)]).toEqual([['Over', 'Open', 'Later'], ['ENDED', 'OPEN', 'APPROVED']]);
    expect(got.headers['cache-control']).toContain('public');
  });

  it('comes in pages', async () => {
    const one = await list('?limit=2');
    expect(ids(one.json)).toEqual(['Over', 'Open']);
    const two = await list(`?limit=2&cursor=${one.json.nextCursor}`);
    expect([ids(two.json), two.json.nextCursor]).toEqual([['Later'], null]);
    expect((await list('?cursor=invented')).json.errors).toEqual([{ path: '/query/cursor', message: expect.any(String) }]);
  });

  it('is not sent again to who has it', async () => {
    const { headers } = await list();
    const again = await list('', { 'if-none-match': String(headers['etag']) });
    expect([again.status, again.text, again.headers['etag']]).toEqual([304, '', headers['etag']]);
    gateway.catalogue.changed({ saleId: 'Open', version: 9, state: 'PAUSED' });
    expect((await list('', { 'if-none-match': String(headers['etag']) })).status).toBe(200);
  });

  it('takes a token, but not a wrong one', async () => {
    expect((await list('', bearer('x', 'buyer'))).status).toBe(200);
    expect((await list('', { authorization: 'Bearer nonsense' })).status).toBe(401);
  });
});
