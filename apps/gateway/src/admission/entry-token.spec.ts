import { describe, expect, it } from '@jest/globals';
import { EntryTokens } from './entry-token.js';
import { Keyring } from './keyring.js';

const opensMs = 1_800_000_000_000;
const nowMs = opensMs + 500;
const secret = 'a secret of the tests';
const tokens = new EntryTokens([secret]);
const entry = { saleId: 'Sale000001', accountId: 'buyer-1', notBeforeMs: opensMs, expiresMs: nowMs + 1_000 };
const issued = tokens.issue(entry);
const [head = '', key = '', payload = '', signature = ''] = issued.split('.');
const check = (token: string, saleId = 'Sale000001', accountId = 'buyer-1', atMs = nowMs) => new EntryTokens([secret]).check(token, saleId, accountId, atMs);
const payloadOf = (...values: unknown[]) => Buffer.from(JSON.stringify(values)).toString('base64url');

describe('an entry token', () => {
  it('is good for its account and sale, at every gateway, until it expires', () => {
    expect(check(issued)).toBe('valid');
    expect(check(issued, 'Sale000001', 'buyer-1', nowMs + 999)).toBe('valid');
    expect(check(issued, 'Sale000001', 'buyer-1', nowMs + 1_000)).toBe('expired');
    // Twice at one gateway: the second answer comes from memory.
    expect([tokens.check(issued, 'Sale000001', 'buyer-1', nowMs), tokens.check(issued, 'Sale000001', 'buyer-2', nowMs)]).toEqual(['valid', 'forged']);
    expect(tokens.check(issued, 'Sale000001', 'buyer-1', nowMs + 1_000)).toBe('expired');
  });

  it('is not good before the opening, as far as a gateway can tell', () => {
    expect(check(issued, 'Sale000001', 'buyer-1', opensMs - 1_000)).toBe('valid');
    expect(check(issued, 'Sale000001', 'buyer-1', opensMs - 1_001)).toBe('early');
  });

  it.each<[string, string]>([
    ['of another key', new EntryTokens(['another secret']).issue(entry)],
    ['of another purpose\'s key', `${head}.${key}.${payload}.${new Keyring([secret], 'another purpose').sign(`${head}.${key}.${payload}`)}`],
    ['of a key that nobody has', issued.replace(key, 'AAAAAA')],
    ['of a key without a name', issued.replace(key, '')],
    ['with a later end', `${head}.${key}.${payloadOf('Sale000001', 'buyer-1', opensMs, nowMs + 9_000)}.${signature}`],
    ['with an earlier beginning', `${head}.${key}.${payloadOf('Sale000001', 'buyer-1', 0, nowMs + 1_000)}.${signature}`],
    ['with padding', `${issued}=`],
    ['with a padded payload', `${head}.${key}.${payload}=.${signature}`],
    ['with other spare bits in the last character', `${issued.slice(0, -1)}${String.fromCharCode(issued.charCodeAt(issued.length - 1) + 1)}`],
    ['in the other base64', issued.replaceAll('-', '+').replaceAll('_', '/') + (issued.includes('-') || issued.includes('_') ? '' : ' ')],
    ['cut short', issued.slice(0, -1)],
    ['without a signature', `${head}.${key}.${payload}.`],
    ['of another version', issued.replace('et2', 'et3')],
    ['with a part more', `${issued}.x`],
    ['with a part less', `${head}.${payload}.${signature}`],
    ['that is nothing', ''],
    ['that is very long', `et2.${key}.${'a'.repeat(5_000)}.b`],
  ])('%s is forged', (_, token) => {
    expect(check(token)).toBe('forged');
  });

  it('of another account or sale is forged', () => {
    expect([check(issued, 'Sale000001', 'buyer-2'), check(issued, 'Sale000002')]).toEqual(['forged', 'forged']);
  });
});

describe('while the secret is changed', () => {
  const next = 'the next secret of the tests';
  const stages = [[secret], [secret, next], [next, secret], [next]];

  it('no gateway refuses what its neighbour, a step before or behind, has issued', () => {
    stages.forEach((stage, at) => {
      for (const neighbour of stages.slice(Math.max(0, at - 1), at + 2)) {
        const token = new EntryTokens(stage).issue(entry);
        expect(new EntryTokens(neighbour).check(token, entry.saleId, entry.accountId, nowMs)).toBe('valid');
      }
    });
  });

  it('a retired secret signs nothing any more', () => {
    expect(new EntryTokens([next]).check(issued, entry.saleId, entry.accountId, nowMs)).toBe('forged');
  });
});
