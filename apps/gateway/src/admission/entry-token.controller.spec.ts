import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BoardLane, SaleDocument } from '@floodgate/contracts';
import { callOperation, type Given } from '../testing/contract.js';
import { aLane, aSale, bearer, hour, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';

let gateway: Gateway;

beforeEach(async () => {
  gateway = await startGateway(new StandInClient().on('get-sale', () => ({ ok: false, code: 'NOT_FOUND', detail: '' })));
});
afterEach(() => gateway.close());

function ask(sale: SaleDocument, lane: Partial<BoardLane> | null = {}, given: Given = {}) {
  gateway.catalogue.approved(sale);
  gateway.board.applyWhole({ atMs: Date.now(), lanes: lane ? [aLane(sale, lane)] : [] }, gateway.board.gapCount);
  return callOperation(gateway.app, 'createEntryToken', { path: { saleId: sale.saleId }, headers: bearer('buyer-1', 'buyer'), ...given });
}

describe('an entry token', () => {
  it('is given while the sale is open, sold out or not, for two minutes', async () => {
    const got = await ask(aSale(), { items: [['Sale000001-1', 0, 0], ['Sale000001-2', 0, 0]] }, { body: {} });
    expect(got.status).toBe(200);
    expect(gateway.entryTokens.check(got.json.token, 'Sale000001', 'buyer-1', Date.now())).toBe('valid');
    expect(Math.abs(Date.parse(got.json.expiresAt) - Date.now() - 120_000)).toBeLessThan(5_000);
  });

  it('ends with the sale', async () => {
    const closesAtMs = Date.now() + 60_000;
    expect(Date.parse((await ask(aSale({ closesAtMs }))).json.expiresAt)).toBe(closesAtMs);
  });

  it.each<[string, () => SaleDocument, Partial<BoardLane> | null, number, string]>([
    ['not armed and not open', () => aSale({ state: 'APPROVED', opensAtMs: Date.now() + hour }), null, 425, 'SALE_NOT_OPEN'],
    ['not open', () => aSale({ opensAtMs: Date.now() + hour }), {}, 425, 'SALE_NOT_OPEN'],
    ['paused', () => aSale({ state: 'PAUSED' }), {}, 409, 'SALE_PAUSED'],
    ['closed', () => aSale({ state: 'ENDED' }), {}, 409, 'SALE_ENDED'],
    ['over by the clock', () => aSale({ closesAtMs: Date.now() - 1_000 }), {}, 409, 'SALE_ENDED'],
    ['withdrawn', () => aSale({ state: 'WITHDRAWN' }), null, 409, 'SALE_ENDED'],
    ['late in being armed', () => aSale({ state: 'APPROVED' }), null, 503, 'UNAVAILABLE'],
    ['being rebuilt', () => aSale(), { selling: false }, 503, 'UNAVAILABLE'],
    ['unheard of for 3 s', () => aSale(), { atMs: Date.now() - 4_000 }, 503, 'UNAVAILABLE'],
  ])('is not given for a sale that is %s', async (_, sale, lane, status, code) => {
    const got = await ask(sale(), lane);
    expect([got.status, got.json.code]).toEqual([status, code]);
  });

  it('is not given for a sale that does not exist', async () => {
    expect((await ask(aSale(), {}, { path: { saleId: 'Unknown' } })).json.code).toBe('SALE_NOT_FOUND');
  });
});
