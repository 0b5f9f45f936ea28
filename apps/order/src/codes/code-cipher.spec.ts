import { describe, expect, it } from '@jest/globals';
import { CodeCipher } from './code-cipher.js';

const secrets = { keys: [{ id: 'k1', secret: 'first-secret-of-the-tests' }], fingerprintSecret: 'fingerprint-of-the-tests' };
const cipher = new CodeCipher(secrets);

describe('a code at rest', () => {
  it('opens to what it was, and shows nothing of it', () => {
    const row = cipher.seal(1, 'SECRET-ÄÖ-1');
    expect(cipher.open(1, row)).toBe('SECRET-ÄÖ-1');
    expect(Buffer.from(row.sealed, 'hex').toString('latin1')).not.toContain('SECRET');
  });

  it('is sealed differently each time, under one fingerprint', () => {
    const [a, b] = [cipher.seal(1, 'same'), cipher.seal(1, 'same')];
    expect([a.fingerprint === b.fingerprint, a.sealed === b.sealed]).toEqual([true, false]);
    expect(cipher.fingerprint('Same')).not.toBe(a.fingerprint);
  });

  it('does not open in another pool, or as another row', () => {
    const [row, other] = [cipher.seal(1, 'a'), cipher.seal(1, 'b')];
    expect(() => cipher.open(2, row)).toThrow();
    expect(() => cipher.open(1, { ...row, fingerprint: other.fingerprint })).toThrow();
  });

  it('opens after the key was rotated, and not after it was thrown away', () => {
    const row = cipher.seal(1, 'old');
    const rotated = new CodeCipher({ ...secrets, keys: [{ id: 'k2', secret: 'second-secret-of-the-tests' }, ...secrets.keys] });
    expect([rotated.open(1, row), rotated.seal(1, 'new').keyId, rotated.fingerprint('old')]).toEqual(['old', 'k2', row.fingerprint]);
    expect(() => new CodeCipher({ ...secrets, keys: [{ id: 'k2', secret: 'second-secret-of-the-tests' }] }).open(1, row)).toThrow('no key k1');
  });
});
