import { describe, expect, it } from '@jest/globals';
import { addressHash, clientAddress, trustedProxies } from './client-address.js';

const trusted = trustedProxies(['127.0.0.0/8', '::1', '10.1.2.3', 'fd00::/8']);

describe('the client address', () => {
  it.each<[string, string | undefined, string]>([
    ['8.8.8.8', undefined, '8.8.8.8'],
    ['8.8.8.8', '1.2.3.4', '8.8.8.8'],
    ['127.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['127.0.0.1', '9.9.9.9, 1.2.3.4', '1.2.3.4'],
    ['127.0.0.1', '9.9.9.9, 1.2.3.4, 10.1.2.3', '1.2.3.4'],
    ['::ffff:127.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['::1', '2001:db8::7', '2001:db8::7'],
    ['127.0.0.1', '127.0.0.2, 10.1.2.3', '127.0.0.2'],
    ['127.0.0.1', 'unknown', '127.0.0.1'],
    ['127.0.0.1', '1.2.3.4, unknown, 10.1.2.3', '10.1.2.3'],
    ['127.0.0.1', '1.2.3.4:5678', '127.0.0.1'],
    ['127.0.0.1', 'fe80::1%eth0', 'fe80::1'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['fd00::9', '1.2.3.4', '1.2.3.4'],
    ['', '1.2.3.4', ''],
  ])('of peer %s that reports %s is %s', (peer, forwardedFor, expected) => {
    expect(clientAddress(peer, forwardedFor, trusted)).toBe(expected);
  });

  it('is never taken from a list of proxies that nobody can read', () => {
    for (const entry of ['localhost', '10.0.0.0/x', '300.1.1.1']) expect(() => trustedProxies([entry])).toThrow(entry);
  });
});

describe('what is counted of it', () => {
  const hash = (address: string, secret = 'ab'.repeat(16)) => addressHash(address, secret);

  it('is the address, and of IPv6 the /64 in every spelling', () => {
    expect(hash('1.2.3.4')).not.toBe(hash('1.2.3.5'));
    expect(hash('2001:db8:0:1::1')).toBe(hash('2001:DB8::1:ffff:0:0:9'));
    expect(hash('2001:db8:0:1::1')).not.toBe(hash('2001:db8:0:2::1'));
    expect(hash('::1')).toBe(hash('0:0:0:0:0:0:0:7'));
  });

  it('cannot be compared between sales', () => {
    expect(hash('1.2.3.4')).not.toBe(hash('1.2.3.4', 'cd'.repeat(16)));
    expect(hash('1.2.3.4')).toMatch(/^[0-9a-f]{32}$/);
  });
});
