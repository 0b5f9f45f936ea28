import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Special-purpose networks of the IANA registries: what answers there is ours, our neighbour's or nobody's. 169.254.169.254 is a cloud's metadata. */
const specialV4 = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24',
  '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
];
/** Of IPv6 only this is handed out at all; loopback, link-local, ULA, multicast and IPv4 in disguise (::ffff:0:0/96, 64:ff9b::/96) lie outside of it. */
const globalV6 = '2000::/3';
const specialV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const special = networks([...specialV4, ...specialV6]);
const global = networks([globalV6]);

/** Whether an address belongs to the open internet. Anything that is no address does not. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  return isIPv6(address) && !address.includes('%') && global.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

function networks(list: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const entry of list) {
    const [address = '', bits] = entry.split('/');
    blocks.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return blocks;
}
