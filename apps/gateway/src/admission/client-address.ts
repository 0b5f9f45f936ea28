import { createHmac } from 'node:crypto';
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';

/**
 * The peers whose `X-Forwarded-For` is believed.
 * @param list addresses and CIDR blocks; @throws Error with the entry that is neither
 */
export function trustedProxies(list: readonly string[]): BlockList {
  const trusted = new BlockList();
  for (const entry of list) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const prefix = bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits);
    if (isIP(address) === 0 || !Number.isInteger(prefix)) throw new Error(`"${entry}" is neither an address nor a CIDR block`);
    trusted.addSubnet(address, prefix, family);
  }
  return trusted;
}

/**
 * The client's address: the peer's, or the right-most untrusted hop of `X-Forwarded-For` where the peer is a trusted proxy. Hops further left
 * are the client's own words. A hop that is no address ends the walk at the proxy that reported it.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trusted: BlockList): string {
  let address = plain(peer);
  // From the right, one hop at a time: a header of 16 KB is not taken apart for the one hop that counts.
  for (let end = forwardedFor?.length ?? 0; end > 0 && isTrusted(address, trusted);) {
    const comma = forwardedFor?.lastIndexOf(',', end - 1) ?? -1;
    const hop = plain(forwardedFor?.slice(comma + 1, end).trim() ?? '');
    if (isIP(hop) === 0) break;
    address = hop;
    end = comma;
  }
  return address;
}

/**
 * What is counted per address: the address itself, of IPv6 the /64 that one subscriber has whole. Keyed with the sale's secret, so that
 * nobody who reads Redis can tell the addresses. Hex, 32 characters.
 */
export function addressHash(address: string, secretHex: string): string {
  return createHmac('sha256', Buffer.from(secretHex, 'hex')).update(`address\n${countedAddress(address)}`).digest('hex').slice(0, 32);
}

/** An address as limits count it: IPv6 by the /64, of which one subscriber has every address. */
export const countedAddress = (address: string): string => (isIPv6(address) ? network64(address) : address);

function isTrusted(address: string, trusted: BlockList): boolean {
  return isIP(address) !== 0 && trusted.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** An IPv4 address that came over an IPv6 socket, without its wrapping; no zone. */
function plain(address: string): string {
  const bare = address.split('%', 1)[0] ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  return mapped ?? bare;
}

/** The first four groups, written out, so that every spelling of a network is the same text. */
function network64(address: string): string {
  const [left = '', right] = address.toLowerCase().split('::');
  const groupsOf = (part: string) => (part === '' ? [] : part.split(':'));
  const head = groupsOf(left);
  const tail = right === undefined ? [] : groupsOf(right);
  const gap = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  return [...head, ...Array<string>(gap).fill('0'), ...tail].slice(0, 4).map((group) => group.padStart(4, '0')).join(':');
}

/** Where requests come from. */
export class ClientAddresses {
  private readonly trusted: BlockList;

  constructor(proxies: readonly string[]) {
    this.trusted = trustedProxies(proxies);
  }

  /** What a sale counts per address; see {@link addressHash}. */
  hashOf(request: FastifyRequest, secretHex: string): string {
    return addressHash(this.of(request), secretHex);
  }

  /** What the gateway counts per address; see {@link countedAddress}. */
  countedOf(request: FastifyRequest): string {
    return countedAddress(this.of(request));
  }

  private of(request: FastifyRequest): string {
    const forwardedFor = request.headers['x-forwarded-for'];
    return clientAddress(request.socket.remoteAddress ?? '', [forwardedFor].flat().join(','), this.trusted);
  }
}
