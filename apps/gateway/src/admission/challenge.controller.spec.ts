import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { callOperation, type Got } from '../testing/contract.js';
import { aLane, aSale, bearer, hour, startGateway, type Gateway } from '../testing/gateway.fixture.js';
import { solve } from '../testing/solve.js';
import { StandInClient } from '../testing/stand-in.client.js';

const sale = aSale({ challenge: 'proof-of-work' });
const path = { saleId: sale.saleId };
const gateways: Gateway[] = [];
let used: Set<string>;
let client: StandInClient;

/** A gateway that shares seckill's memory with the others. */
async function another(document = sale): Promise<Gateway> {
  const gateway = await startGateway(client);
  gateways.push(gateway);
  gateway.catalogue.approved(document);
  beat(gateway);
  return gateway;
}

/** Work takes its time, and a board is believed for three seconds. */
function beat({ board, catalogue }: Gateway): void {
  board.applyWhole({ atMs: Date.now(), lanes: [aLane(catalogue.get(sale.saleId) ?? sale)] }, board.gapCount);
}

beforeEach(() => {
  used = new Set();
  client = new StandInClient()
    .on('get-sale', () => ({ ok: false, code: 'NOT_FOUND', detail: '' }))
    .on('use-challenges', ({ challenges }) => ({
      ok: true, value: { fresh: challenges.map(({ saleId, id }) => !used.has(saleId + id) && Boolean(used.add(saleId + id))) },
    }));
});
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});

const challenge = (gateway: Gateway, account = 'buyer-1') => callOperation(gateway.app, 'createChallenge', { path, headers: bearer(account, 'buyer') });
const enter = (gateway: Gateway, body?: unknown, account = 'buyer-1') => {
  beat(gateway);
  return callOperation(gateway.app, 'createEntryToken', { path, headers: bearer(account, 'buyer'), ...(body === undefined ? {} : { body }) });
};
const word = ({ status, json }: Got) => [status, json.code];
const failed = [403, 'CHALLENGE_FAILED'];

describe('a sale that asks for a proof of work', () => {
  it('gives a puzzle that, solved, opens the door once at any gateway', async () => {
    const [first, second] = [await another(), await another()];
    const got = await challenge(first);
    expect([got.status, Math.abs(Date.parse(got.json.expiresAt) - Date.now() - 180_000) < 10_000]).toEqual([200, true]);
    const solution = await solve(got.json.puzzle);
    const entered = await enter(second, { solution });
    expect(entered.status).toBe(200);
    expect(second.entryTokens.check(entered.json.token, sale.saleId, 'buyer-1', Date.now())).toBe('valid');
    for (const gateway of [first, second]) expect(word(await enter(gateway, { solution }))).toEqual(failed);
  });

  it.each<[string, unknown]>([['no body', undefined], ['no solution', {}], ['a solution of nothing', { solution: null }], ['an invented one', { solution: 'abc' }], ['an object', { solution: { a: 1 } }]])('does not open for %s', async (_, body) => {
    expect(word(await enter(await another(), body))).toEqual(failed);
    expect(client.count('use-challenges')).toBe(0);
  });

  it('does not open for somebody else\'s solution', async () => {
    const gateway = await another();
    const solution = await solve((await challenge(gateway)).json.puzzle);
    expect(word(await enter(gateway, { solution }, 'buyer-2'))).toEqual(failed);
    expect((await enter(gateway, { solution })).status).toBe(200);
  });

  it('checks the solutions of a crowd together', async () => {
    const gateway = await another();
    const accounts = Array.from({ length: 20 }, (_, n) => `buyer-${n}`);
    const solutions = await Promise.all(accounts.map(async (account) => solve((await challenge(gateway, account)).json.puzzle)));
    const answers = await Promise.all(accounts.map((account, n) => enter(gateway, { solution: solutions[n] }, account)));
    expect(answers.map(({ status }) => status)).toEqual(accounts.map(() => 200));
    expect(client.count('use-challenges')).toBeLessThanOrEqual(20);
  });

  it('does not open while nobody knows which were used', async () => {
    const gateway = await another();
    const solution = await solve((await challenge(gateway)).json.puzzle);
    client.fail('use-challenges', 'TIMEOUT');
    expect(word(await enter(gateway, { solution }))).toEqual([503, 'UNAVAILABLE']);
  });

  it('gives puzzles before it opens, and uses none up by then', async () => {
    const gateway = await another(aSale({ challenge: 'proof-of-work', opensAtMs: Date.now() + hour }));
    const solution = await solve((await challenge(gateway)).json.puzzle);
    expect(word(await enter(gateway, { solution }))).toEqual([425, 'SALE_NOT_OPEN']);
    expect(used.size).toBe(0);
  });

  it('gives an insisting account harder puzzles', async () => {
    const gateway = await another();
    const asked: unknown[] = [];
    for (let n = 0; n < 9; n++) asked.push((await challenge(gateway)).json.puzzle.parameters.keyPrefix);
    expect(new Set(asked).size).toBe(9);
  });
});

describe('other sales', () => {
  it('do not ask anybody about a solution', async () => {
    const gateway = await another(aSale());
    expect((await enter(gateway, { solution: 'whatever' })).status).toBe(200);
    expect(client.count('use-challenges')).toBe(0);
  });

  it('that do not exist have no puzzles', async () => {
    const gateway = await another();
    const got = await callOperation(gateway.app, 'createChallenge', { path: { saleId: 'Unknown' }, headers: bearer('buyer-1', 'buyer') });
    expect(word(got)).toEqual([404, 'SALE_NOT_FOUND']);
  });
});
