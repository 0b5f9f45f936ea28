import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { audienceHash, packHashes, unpackHashes, type Ask, type AttemptResult } from '@floodgate/contracts';
import { callOperation } from '../testing/contract.js';
import { aLane, aSale, bearer, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';
import { Audience } from './audience.js';
import { Audiences } from './audiences.js';

describe('the audience of one sale', () => {
  it('has its members and guests, and nobody else, among a hundred thousand', () => {
    const secret = 'ab'.repeat(16);
    const hashes = Array.from({ length: 100_000 }, (_, n) => audienceHash(secret, `person-${n}`)).toSorted((a, b) => a - b);
    const audience = new Audience(unpackHashes(packHashes(hashes)));
    audience.addGuests([audienceHash(secret, 'guest')], 1);
    expect(audience.size).toBe(100_001);
    const has = (account: string) => audience.has(audienceHash(secret, account));
    expect([has('person-0'), has('person-99999'), has('guest'), has('person-100000'), has('stranger')]).toEqual([true, true, true, false, false]);
    expect(new Audience(new Float64Array()).has(hashes[0]!)).toBe(false);
    expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
  });
});

describe('a sale that is not for everybody', () => {
  const sale = aSale({ saleId: 'Private001', audience: { byCode: true } });
  const open = aSale();
  const hashOf = (accountId: string) => audienceHash(sale.ridSecret, accountId);
  let guests: string[];
  let client: StandInClient;
  let gateway: Gateway;
  beforeEach(async () => {
    guests = [];
    client = new StandInClient();
    client.on('reserve', ({ attempts }: Ask<'reserve'>) => ({ results: attempts.map(({ gate }): AttemptResult => (gate === 'clear' ? { word: 'reserved', number: 1, reservedAtMs: Date.now() } : { word: 'gated' })) }));
    client.on('list-audience', ({ after }: Ask<'list-audience'>) => (after === -1 ? { hashes: packHashes([hashOf('member')]), next: hashOf('member') } : { hashes: '', next: null }));
    client.on('list-guests', ({ after }: Ask<'list-guests'>) => ({ hashes: guests.slice(after).map(hashOf), last: guests.length, more: false }));
    client.on('list-published', () => ({ sales: [sale, open], next: null }));
    gateway = await startGateway(client);
    await gateway.catalogue.refresh();
    const lanes = [aLane(sale), aLane(open)];
    gateway.clock.see(lanes[0]!.atMs);
    gateway.board.applyWhole({ atMs: lanes[0]!.atMs, lanes }, null);
  });
  afterEach(() => gateway.close());

  const reserve = (accountId: string) => callOperation(gateway.app, 'createReservation', {
    path: { saleId: sale.saleId }, headers: { ...bearer(accountId, 'buyer'), 'idempotency-key': 'k' },
    body: { entryToken: gateway.entryTokens.issue({ saleId: sale.saleId, accountId, notBeforeMs: 0, expiresMs: Date.now() + 60_000 }), items: [{ itemId: `${sale.saleId}-1`, quantity: 1 }] },
  });

  it('lets members buy, sends others to seckill as not eligible, and asks nobody about members', async () => {
    expect((await reserve('stranger')).json).toMatchObject({ status: 403, code: 'NOT_ELIGIBLE' });
    const asked = client.count('list-guests');
    expect((await reserve('member')).status).toBe(202);
    expect(client.count('list-guests')).toBe(asked);
    expect(client.bodies('reserve').flatMap(({ attempts }) => attempts.map(({ gate }) => gate))).toEqual(['not-eligible', 'clear']);
  });

  it('lets in who came by a code at another gateway a moment ago', async () => {
    await reserve('guest');
    guests.push('guest');
    expect((await reserve('guest')).status).toBe(202);
  });

  it('is unavailable while nobody knows who may buy', async () => {
    client.fail('list-audience', 'TIMEOUT');
    const audiences = gateway.app.get(Audiences, { strict: false });
    (audiences as unknown as { loaded: Map<string, unknown> }).loaded.clear();
    expect((await reserve('member')).json.code).toBe('UNAVAILABLE');
    expect(client.count('reserve')).toBe(0);
  });

  it('is listed only to a token that is in it, and such a list is nobody else’s', async () => {
    await gateway.app.get(Audiences, { strict: false }).followAll();
    const list = async (headers: Record<string, string>) => {
      const got = await callOperation(gateway.app, 'listSales', { headers });
      return [got.json.items.map(({ id }: { id: string }) => id), got.headers['cache-control'], got.headers['vary']];
    };
    const everybodys = [[open.saleId], 'public, max-age=1', 'Authorization'];
    expect(await list({})).toEqual(everybodys);
    expect(await list(bearer('stranger', 'buyer'))).toEqual(everybodys);
    expect(await list(bearer('member', 'buyer'))).toEqual([expect.arrayContaining([open.saleId, sale.saleId]), 'private, no-store', 'Authorization']);
  });

  it('takes codes, and counts guesses as abuse', async () => {
    client.on('join-audience', ({ code, accountId, saleId }: Ask<'join-audience'>) => {
      if (code !== 'right') return { ok: false, code: 'NOT_ELIGIBLE', detail: 'no' };
      guests.push(accountId);
      return { ok: true, value: { saleId } };
    });
    client.on('report-refusals', () => ({ noted: true }));
    const join = (code: string, saleId = sale.saleId) => callOperation(gateway.app, 'joinAudience', { path: { saleId }, headers: bearer('guest', 'buyer'), body: { code } });
    expect((await join('wrong')).json.code).toBe('NOT_ELIGIBLE');
    expect((await join('right', open.saleId)).json.code).toBe('NOT_ELIGIBLE');
    expect((await join('right')).json).toEqual({ saleId: sale.saleId });
    expect((await reserve('guest')).status).toBe(202);
    await gateway.close();
    expect(client.bodies('report-refusals').flatMap(({ abuses }) => abuses)).toEqual([{ accountId: 'guest', saleId: sale.saleId, count: 1 }]);
    gateway = await startGateway(client);
  });
});
