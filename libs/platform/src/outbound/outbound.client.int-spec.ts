import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OutboundClient, OutboundFailedError, OutboundRefusedError, type OutboundOptions } from './outbound.client.js';

describe('a call', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    }
  });

  async function serve(answer: (response: ServerResponse) => void, host = '127.0.0.1', port = 0): Promise<{ port: number; calls: string[] }> {
    const calls: string[] = [];
    const server = createServer((request, response) => {
      calls.push(`${request.method} ${request.url} ${request.headers.host}`);
      request.resume();
      answer(response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => { server.listen(port, host, resolve); });
    return { port: (server.address() as AddressInfo).port, calls };
  }
  const to = (options: Partial<OutboundOptions> = {}) => new OutboundClient({ reach: 'any', resolve: async () => ['127.0.0.1'], ...options });

  it('goes to the address that was checked, once looked up, whatever the name says next', async () => {
    const good = await serve((response) => response.end('good'));
    const evil = await serve((response) => response.end('evil'), '127.0.0.2', good.port);
    const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.2'];
    const lookups: string[] = [];
    // Any address but the second is "public" here, so that the check passes for the first answer only.
    const client = to({
      resolve: async (host) => { lookups.push(host); return [answers[lookups.length - 1]!]; },
      isAllowed: (address) => address !== '127.0.0.2',
    });
    const answer = await client.request(`http://rebinding.example:${good.port}/hook?a=b`, { method: 'POST', body: '{}' });
    expect([answer.status, answer.body.toString(), lookups]).toEqual([200, 'good', ['rebinding.example']]);
    expect([good.calls, evil.calls]).toEqual([[`POST /hook?a=b rebinding.example:${good.port}`], []]);
    await expect(client.request(`http://rebinding.example:${good.port}/`)).rejects.toThrow(OutboundRefusedError);
    expect(evil.calls).toEqual([]);
  });

  it('does not follow a redirect', async () => {
    const target = await serve((response) => response.end('inside'));
    const { port } = await serve((response) => response.writeHead(302, { location: `http://127.0.0.1:${target.port}/` }).end());
    expect((await to().request(`http://shop.example:${port}/`)).status).toBe(302);
    expect(target.calls).toEqual([]);
  });

  it('reads no more of an answer than it may', async () => {
    const { port } = await serve((response) => response.end('x'.repeat(1_000)));
    expect((await to({ bytesMax: 1_000 }).request(`http://shop.example:${port}/`)).body).toHaveLength(1_000);
    await expect(to({ bytesMax: 999 }).request(`http://shop.example:${port}/`)).rejects.toThrow(/more than 999 bytes/);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['never answered', () => undefined],
    ['answered without end', (response) => { response.write('x'); }],
    ['broken off', (response) => { response.destroy(); }],
  ])('that is %s fails', async (_, answer) => {
    const { port } = await serve(answer);
    await expect(to({ timeoutMs: 300 }).request(`http://shop.example:${port}/`)).rejects.toThrow(OutboundFailedError);
  });

  it('whose name is never looked up fails', async () => {
    await expect(to({ timeoutMs: 50, resolve: () => new Promise(() => undefined) }).request('http://shop.example/')).rejects.toThrow(/in time/);
  });
});
