import { describe, expect, it } from '@jest/globals';
import { OutboundClient, OutboundFailedError, OutboundRefusedError } from './outbound.client.js';
import { isPublicAddress } from './public-address.js';

const internet = ['8.8.8.8', '1.1.1.1', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '2a00:1450:4001::1'];
const inside = [
  '0.0.0.0', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.8.8.8', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.168.1.1',
  '198.18.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '64:ff9b::a9fe:a9fe', '2002:7f00:1::', '2001:db8::1', '2001::1', 'fc00::1', 'fd12::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '',
];

describe('the open internet', () => {
  it.each(internet)('has %s', (address) => expect(isPublicAddress(address)).toBe(true));
  it.each(inside)('does not have %s', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('a URL that somebody entered', () => {
  const client = (addresses: string[]) => new OutboundClient({ reach: 'public', resolve: async () => addresses });

  it.each([
    'http://shop.example/', 'ftp://shop.example/', 'gopher://shop.example/', 'file:///etc/passwd', 'data:text/plain,x', 'https://user@shop.example/', 'https://a:b@shop.example/', 'shop.example', '',
    'https://127.0.0.1/', 'https://[::1]/', 'https://[::ffff:127.0.0.1]/', 'https://169.254.169.254/latest/meta-data', 'https://0xA9FEA9FE/', 'https://2852039166/', 'https://0251.0376.0251.0376/', 'https://127.1/', 'https://[fd00::1]/',
  ])('%s is refused when it is saved and when it is called', async (url) => {
    await expect(client(['8.8.8.8']).check(url)).rejects.toThrow(OutboundRefusedError);
    await expect(client(['8.8.8.8']).request(url)).rejects.toThrow(OutboundRefusedError);
  });

  it.each([[['10.0.0.1']], [['8.8.8.8', '127.0.0.1']], [['::1']], [['2606:4700::1111', 'fe80::1']]])('is refused if its name has the addresses %j', async (addresses) => {
    await expect(client(addresses).request('https://shop.example/')).rejects.toThrow(OutboundRefusedError);
  });

  it('may be on the internet', async () => {
    await expect(client(['8.8.8.8', '2606:4700::1111']).check('https://shop.example:8443/hook?x=1')).resolves.toBeUndefined();
  });

  it('whose name is unknown may be tried again', async () => {
    await expect(client([]).check('https://shop.example/')).rejects.toThrow(OutboundFailedError);
    const broken = new OutboundClient({ reach: 'public', resolve: async () => { throw new Error('SERVFAIL'); } });
    await expect(broken.check('https://shop.example/')).rejects.toThrow(OutboundFailedError);
  });
});
