import { beforeAll, describe, expect, it } from '@jest/globals';
import { solve } from '../testing/solve.js';
import { Challenges } from './challenge.js';

const secret = 'a secret of the tests';
const nowMs = 1_800_000_000_000;
const challenges = new Challenges([secret]);
const check = (given: unknown, saleId = 'Sale000001', accountId = 'buyer-1', atMs = nowMs) => new Challenges([secret]).check(given, saleId, accountId, atMs);
const open = (solution: string) => JSON.parse(Buffer.from(solution, 'base64').toString()) as { challenge: { parameters: any; signature: string }; solution: any };

let solution: string;
let opened: ReturnType<typeof open>;
beforeAll(async () => {
  const { puzzle } = await challenges.create('Sale000001', 'buyer-1', 50, nowMs);
  solution = await solve(puzzle);
  opened = open(solution);
});

/** The solution with something about it changed. */
function changed(change: (payload: ReturnType<typeof open>) => void): unknown {
  const payload = structuredClone(opened);
  change(payload);
  return payload;
}

describe('a solution', () => {
  it('is good for its account and sale, at every gateway, until it expires', async () => {
    const solved = { id: opened.challenge.parameters.nonce, expiresMs: nowMs + 180_000 };
    expect(await check(solution)).toEqual(solved);
    expect(await check(opened)).toEqual(solved);
    expect(await check(solution, 'Sale000001', 'buyer-1', nowMs + 179_999)).toEqual(solved);
    expect(await check(solution, 'Sale000001', 'buyer-1', nowMs + 180_000)).toBeNull();
  });

  it('is nothing for another account or sale', async () => {
    expect([await check(solution, 'Sale000001', 'buyer-2'), await check(solution, 'Sale000002')]).toEqual([null, null]);
  });

  it('tells nobody whose it is', () => {
    expect(JSON.stringify(opened)).not.toContain('buyer-1');
  });

  it.each<[string, () => unknown]>([
    ['missing', () => undefined], ['null', () => null], ['a number', () => 7], ['a list', () => []], ['no base64', () => '§§§'], ['no JSON', () => 'YWJj'], ['nothing', () => ''],
    ['longer than any', () => 'a'.repeat(10_000)],
    ['nested deep', () => Buffer.from(`${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`).toString('base64')],
    ['of another counter and key', () => changed(({ solution }) => { solution.counter++; solution.derivedKey = 'ab'.repeat(32); })],
    ['of a negative counter', () => changed(({ solution }) => { solution.counter = -1; })],
    ['of half a counter', () => changed(({ solution }) => { solution.counter += 0.5; })],
    ['of a huge counter', () => changed(({ solution }) => { solution.counter = 1e30; })],
    ['without a key', () => changed(({ solution }) => { delete solution.derivedKey; })],
    ['in upper case', () => changed(({ solution }) => { solution.derivedKey = solution.derivedKey.toUpperCase(); })],
    ['of an unsigned puzzle', () => changed(({ challenge }) => { challenge.signature = ''; })],
    ['of a puzzle with another signature', () => changed(({ challenge }) => { challenge.signature = 'ab'.repeat(32); })],
    ['of a puzzle that lasts longer', () => changed(({ challenge }) => { challenge.parameters.data.expiresMs += 60_000; })],
    ['of a puzzle with the library\'s own expiry', () => changed(({ challenge }) => { challenge.parameters.expiresAt = 9_999_999_999; })],
    ['of a puzzle with another id', () => changed(({ challenge }) => { challenge.parameters.nonce = 'ab'.repeat(16); })],
    ['of a puzzle for somebody else', () => changed(({ challenge }) => { challenge.parameters.data.for = 'x'.repeat(43); })],
    ['of an easier puzzle', () => changed(({ challenge }) => { challenge.parameters.keyPrefix = '00'; })],
    ['of a cheaper puzzle', () => changed(({ challenge }) => { challenge.parameters.cost = 1; })],
    ['of a puzzle by another algorithm', () => changed(({ challenge }) => { challenge.parameters.algorithm = 'SHA-256'; })],
    ['of a puzzle with other data', () => changed(({ challenge }) => { challenge.parameters.data.more = 1; })],
    ['of a puzzle of no key', () => changed(({ challenge }) => { challenge.parameters.data.key = ''; })],
  ])('that is %s is none', async (_, given) => {
    expect(await check(given())).toBeNull();
  });

  it('of somebody else\'s puzzle is none', async () => {
    const { puzzle } = await new Challenges(['another secret']).create('Sale000001', 'buyer-1', 10, nowMs);
    expect(await check(await solve(puzzle))).toBeNull();
  });

  it('outlives a change of the secret by one step', async () => {
    const next = 'the next secret of the tests';
    const at = (secrets: string[]) => new Challenges(secrets).check(solution, 'Sale000001', 'buyer-1', nowMs);
    expect([await at([secret, next]), await at([next, secret])]).toEqual([expect.anything(), expect.anything()]);
    expect(await at([next])).toBeNull();
  });
});
