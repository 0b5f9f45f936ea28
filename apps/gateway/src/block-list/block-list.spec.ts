import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Ask, AttemptResult, Block } from '@floodgate/contracts';
import { RefusalReport } from '../audit-log/refusal-report.js';
import { callOperation } from '../testing/contract.js';
import { aLane, aSale, bearer, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { StandInClient } from '../testing/stand-in.client.js';
import { BlockListKeeper } from './block-list.keeper.js';
import { BlockList } from './block-list.js';

const entry = (accountId: string, version: number, changes: Partial<Block> = {}): Block => ({ accountId, version, blocked: true, untilMs: null, ...changes });

describe('the block list of a gateway', () => {
  it('goes by the version of each account, in whatever order changes come', () => {
    const list = new BlockList();
    list.apply([entry('a', 2, { blocked: false }), entry('b', 3)]);
    list.apply([entry('a', 1)]);
    expect([list.isBlocked('a', 0), list.isBlocked('b', 0), list.isBlocked('c', 0)]).toEqual([false, true, false]);
  });

  it('holds until its time and no longer, and forgets it later', () => {
    const list = new BlockList();
    list.apply([entry('a', 1, { untilMs: 1_000 })]);
    expect([list.isBlocked('a', 999), list.isBlocked('a', 1_000)]).toEqual([true, false]);
    list.version = 1;
    list.forgetPast(1e9);
    list.apply([entry('a', 1)]);
    expect(list.isBlocked('a', 0)).toBe(true);
  });
});

describe('a gateway', () => {
  const sale = aSale();
  let client: StandInClient;
  let gateway: Gateway;
  beforeEach(async () => {
    client = new StandInClient();
    client.on('reserve', ({ attempts }: Ask<'reserve'>) => ({ results: attempts.map(({ gate }): AttemptResult => (gate === 'clear' ? { word: 'reserved', number: 1, reservedAtMs: Date.now() } : { word: 'gated' })) }));
    client.on('report-refusals', () => ({ noted: true }));
    gateway = await startGateway(client);
    gateway.catalogue.approved(sale);
    const lane = aLane(sale);
    gateway.clock.see(lane.atMs);
    gateway.board.applyWhole({ atMs: lane.atMs, lanes: [lane] }, null);
  });
  afterEach(() => gateway.close());

  const reserve = (accountId: string, entryToken = gateway.entryTokens.issue({ saleId: sale.saleId, accountId: accountId, notBeforeMs: 0, expiresMs: Date.now() + 60_000 })) =>
    callOperation(gateway.app, 'createReservation', {
      path: { saleId: sale.saleId }, headers: { ...bearer(accountId, 'buyer'), 'idempotency-key': 'k' }, body: { entryToken, items: [{ itemId: 'Sale000001-1', quantity: 1 }] },
    });

  it('sends a blocked account to seckill as such, so that a replay still gets its answer', async () => {
    gateway.app.get(BlockList, { strict: false }).apply([entry('bot', 1)]);
    expect((await reserve('bot')).json).toMatchObject({ status: 403, code: 'BUYER_BLOCKED' });
    expect((await reserve('honest')).status).toBe(202);
    expect(client.bodies('reserve').flatMap(({ attempts }) => attempts.map(({ accountId, gate }) => [accountId, gate]))).toEqual([['bot', 'buyer-blocked'], ['honest', 'clear']]);
  });

  it('learns by asking what no event told, page by page', async () => {
    client.on('list-blocks', ({ after }: Ask<'list-blocks'>) => ({ entries: after < 2 ? [entry(`bot-${after + 1}`, after + 1)] : [], more: after < 1 }));
    expect(await gateway.app.get(BlockListKeeper, { strict: false }).catchUp()).toBe(true);
    const list = gateway.app.get(BlockList, { strict: false });
    expect([list.isBlocked('bot-1', 0), list.isBlocked('bot-2', 0), list.version]).toEqual([true, true, 2]);
  });

  it('lets nobody in before it has read the list', async () => {
    gateway.app.get(BlockList, { strict: false }).version = null;
    expect((await reserve('honest')).json.code).toBe('UNAVAILABLE');
    expect(client.count('reserve')).toBe(0);
  });

  it('counts forged entry tokens and tells promotion once a second, again under the same id until it answers', async () => {
    const report = gateway.app.get(RefusalReport, { strict: false });
    for (let n = 0; n < 3; n++) expect((await reserve('bot', 'et1.forged.forged')).json.code).toBe('ENTRY_TOKEN_INVALID');
    const expired = gateway.entryTokens.issue({ saleId: sale.saleId, accountId: 'late', notBeforeMs: 0, expiresMs: Date.now() - 1 });
    expect((await reserve('late', expired)).json.code).toBe('ENTRY_TOKEN_INVALID');
    client.fail('report-refusals', 'TIMEOUT');
    await report.send();
    client.on('report-refusals', () => ({ noted: true }));
    await report.send();
    await report.send();
    const told = client.bodies('report-refusals');
    expect(told).toHaveLength(2);
    expect(told[1]).toEqual(told[0]);
    expect(told[0]?.abuses).toEqual([{ accountId: 'bot', saleId: sale.saleId, count: 3 }]);
  });
});
