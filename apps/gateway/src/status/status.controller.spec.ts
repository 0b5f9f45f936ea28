import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer, ReservationView } from '@floodgate/contracts';
import { callOperation } from '../testing/contract.js';
import { aLane, aSale, bearer, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';
import { OrderNotices } from './order-notices.js';

const sale = aSale();
const rid = `${sale.saleId}.${'r'.repeat(22)}`;
const notFound = { ok: false as const, code: 'NOT_FOUND' as const, detail: 'no row' };
const held: NonNullable<Extract<Answer<'find-reservation'>, { sure: boolean }>['found']> = {
  rid, accountId: 'buyer-1', ipHash: '', items: [{ itemId: 'Sale000001-1', quantity: 2 }, { itemId: 'Sale000001-2', quantity: 1 }], number: 7,
  reservedAtMs: Date.UTC(2026, 0, 1), lane: 0, version: 0, holds: true,
};

let gateway: Gateway;
let client: StandInClient;

beforeEach(async () => {
  client = new StandInClient();
  gateway = await startGateway(client);
  gateway.catalogue.approved(sale);
  gateway.board.applyWhole({ atMs: Date.now(), lanes: [aLane(sale)] }, gateway.board.gapCount);
});
afterEach(() => gateway.close());

const ordered: ReservationView = {
  id: rid, saleId: sale.saleId, items: held.items, state: 'ORDERED', terminal: false, reason: null, orderId: rid, amount: { amount: 400, currency: 'GBP' },
  payBy: '2026-01-01T00:10:00.000Z', number: 7, ahead: 0, version: 1, updatedAt: '2026-01-01T00:00:00.100Z', pollAfterMs: 5_000,
};

const get = (id = rid, account = 'buyer-1') => callOperation(gateway.app, 'getReservation', { path: { id }, headers: bearer(account, 'buyer') });

describe('a reservation', () => {
  it('is what Postgres says of it', async () => {
    client.on('get-reservation', () => ({ ok: true, value: ordered }));
    expect((await get()).json).toEqual(ordered);
    expect(client.count('find-reservation')).toBe(0);
  });

  it('is queued while only Redis knows it, at the sale\'s price', async () => {
    client.on('get-reservation', () => notFound).on('find-reservation', () => ({ found: held, sure: true }));
    const got = await get();
    expect(got.json).toMatchObject({ state: 'QUEUED', terminal: false, amount: { amount: 400, currency: 'GBP' }, number: 7, ahead: null, version: 0, orderId: null, updatedAt: '2026-01-01T00:00:00.000Z' });
    const { amount: _, ...notice } = { ...ordered, number: 4 };
    gateway.app.get(OrderNotices, { strict: false }).heard({ saleId: sale.saleId, orders: [{ ...notice, rid, accountId: 'a', amount: 1, currency: 'GBP', payByMs: null, updatedAtMs: 0 }] });
    expect((await get()).json.ahead).toBe(2);
  });

  it('is asked for once more before nobody has it: it may just have become an order', async () => {
    let asked = 0;
    client.on('get-reservation', () => (++asked === 1 ? notFound : { ok: true, value: ordered })).on('find-reservation', () => ({ found: null, sure: true }));
    expect((await get()).json.state).toBe('ORDERED');
  });

  it('is not found where both are sure, and only shown to its owner', async () => {
    client.on('get-reservation', () => notFound).on('find-reservation', () => ({ found: null, sure: true }));
    expect((await get()).json.code).toBe('NOT_FOUND');
    client.on('find-reservation', () => ({ found: held, sure: true }));
    expect((await get(rid, 'buyer-2')).json.code).toBe('NOT_FOUND');
  });

  it('is unavailable while nobody can be sure', async () => {
    client.on('get-reservation', () => notFound).on('find-reservation', () => ({ found: null, sure: false }));
    expect((await get()).json.code).toBe('UNAVAILABLE');
    client.fail('find-reservation', 'TIMEOUT');
    expect((await get()).json.code).toBe('UNAVAILABLE');
    client.fail('get-reservation', 'UNROUTABLE');
    expect((await get()).json.code).toBe('UNAVAILABLE');
  });

  it('that cannot exist is asked of nobody', async () => {
    for (const id of ['nothing', `${sale.saleId}.short`, '.'.repeat(40)]) expect((await get(id)).json.code).toBe('NOT_FOUND');
    expect(client.count('get-reservation')).toBe(0);
  });

  it('explains itself from the ledger, and while it is queued says just that', async () => {
    const explain = () => callOperation(gateway.app, 'explainReservation', { path: { id: rid }, headers: bearer('buyer-1', 'buyer') });
    client.on('explain-reservation', () => ({ ok: true, value: { id: rid, state: 'ORDERED', reason: null, number: 7, entries: [] } }));
    expect((await explain()).json.state).toBe('ORDERED');
    client.on('explain-reservation', () => notFound).on('find-reservation', () => ({ found: held, sure: true }));
    expect((await explain()).json).toEqual({ id: rid, state: 'QUEUED', reason: null, number: 7, entries: [] });
    client.on('find-reservation', () => ({ found: null, sure: true }));
    expect((await explain()).json.code).toBe('NOT_FOUND');
  });
});
