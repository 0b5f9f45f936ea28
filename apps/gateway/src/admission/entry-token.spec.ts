import { describe, expect, it } from '@jest/globals';
import { EntryTokens } from './entry-token.js';

const nowMs = 1_800_000_000_000;
const tokens = new EntryTokens('a secret of the tests');
const issued = tokens.issue('Sale000001', 'buyer-1', nowMs + 1_000);
const [head = '', payload = '', signature = ''] = issued.split('.');
const check = (token: string, saleId = 'Sale000001', accountId = 'buyer-1', atMs = nowMs) => new EntryTokens('a secret of the tests').check(token, saleId, accountId, atMs);

describe('an entry token', () => {
  it('is good for its account and sale, at every gateway, until it expires', () => {
    expect(check(issued)).toBe('valid');
    expect(check(issued, 'Sale000001', 'buyer-1', nowMs + 999)).toBe('valid');
    expect(check(issued, 'Sale000001', 'buyer-1', nowMs + 1_000)).toBe('expired');
    // Twice at one gateway: the second answer comes from memory.
    expect([tokens.check(issued, 'Sale000001', 'buyer-1', nowMs), tokens.check(issued, 'Sale000001', 'buyer-2', nowMs)]).toEqual(['valid', 'forged']);
    expect(tokens.check(issued, 'Sale000001', 'buyer-1', nowMs + 1_000)).toBe('expired');
  });

  it.each<[string, string]>([
    ['of another key', new EntryTokens('another secret').issue('Sale000001', 'buyer-1', nowMs + 1_000)],
    ['with a later end', `${head}.${Buffer.from(JSON.stringify(['Sale000001', 'buyer-1', nowMs + 9_000])).toString('base64url')}.${signature}`],
    ['with padding', `${issued}=`],
    ['with a padded payload', `${head}.${payload}=.${signature}`],
    ['with other spare bits in the last character', `${issued.slice(0, -1)}${String.fromCharCode(issued.charCodeAt(issued.length - 1) + 1)}`],
    ['in the other base64', issued.replaceAll('-', '+').replaceAll('_', '/') + (issued.includes('-') || issued.includes('_') ? '' : ' ')],
    ['cut short', issued.slice(0, -1)],
    ['without a signature', `${head}.${payload}.`],
    ['of another version', issued.replace('et1', 'et2')],
    ['with a part more', `${issued}.x`],
    ['that is nothing', ''],
    ['that is very long', `et1.${'a'.repeat(5_000)}.b`],
  ])('%s is forged', (_, token) => {
    expect(check(token)).toBe('forged');
  });

  it('of another account or sale is forged', () => {
    expect([check(issued, 'Sale000001', 'buyer-2'), check(issued, 'Sale000002')]).toEqual(['forged', 'forged']);
  });
});
