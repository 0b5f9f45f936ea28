import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from '@jest/globals';

import { load, type LoadPlan } from './load.js';

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function plan(listener: RequestListener, changes: Partial<LoadPlan> = {}): Promise<LoadPlan> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { origin, connections: 4, seconds: 0.3, perSecond: null, request: (nth) => `GET /${nth} HTTP/1.1\r\nhost: here\r\n\r\n`, signal: new AbortController().signal, ...changes };
}

describe('load', () => {
  it('sends one request after the other on each connection, and each only once', async () => {
    const urls: string[] = [];
    const { answers, seconds } = await load(await plan((request, response) => {
      urls.push(request.url!);
      response.writeHead(urls.length % 2 === 0 ? 202 : 409, { 'content-length': 2 }).end('{}');
    }));
    expect((answers.get(202) ?? 0) + (answers.get(409) ?? 0)).toBe(urls.length);
    expect(new Set(urls).size).toBe(urls.length);
    expect(seconds).toBeGreaterThan(0.25);
  });

  it('goes on until there are enough answers to say something', async () => {
    const { answers } = await load(await plan((_, response) => {
      setTimeout(() => response.writeHead(202, { 'content-length': 2 }).end('{}'), 150);
    }, { connections: 1, seconds: 1, answersMin: 8 }));
    expect(answers.get(202)).toBeGreaterThanOrEqual(8);
  });

  it('in an open loop sends what is due whatever becomes of it, and counts from when it was meant', async () => {
    let asked = 0;
    const { answers, latencyMs } = await load(await plan((_, response) => {
      asked++;
      setTimeout(() => response.writeHead(202, { 'content-length': 2 }).end('{}'), 200);
    }, { connections: 2, perSecond: 50, seconds: 0.2 }));
    expect([asked, answers.get(202)]).toEqual([10, 10]);
    // Two at a time, 200 ms each: the last of ten, meant after 180 ms, is answered after a second.
    expect(latencyMs.p99).toBeGreaterThan(700);
  });

  it('counts a connection that breaks as no answer, and goes on with another', async () => {
    let asked = 0;
    const { answers } = await load(await plan((request, response) => {
      if (++asked === 1) request.socket.destroy();
      else response.writeHead(202, { 'content-length': 2 }).end('{}');
    }, { connections: 1 }));
    expect(answers.get(0)).toBe(1);
    expect(answers.get(202)).toBe(asked - 1);
  });

  it('takes an answer that comes in pieces', async () => {
    const { answers } = await load(await plan((_, response) => {
      response.socket!.write('HTTP/1.1 202 Accepted\r\ncontent-le');
      setImmediate(() => response.socket!.write('ngth: 4\r\n\r\nab'));
      setImmediate(() => setImmediate(() => response.socket!.end('cd')));
    }, { connections: 1, perSecond: 5, seconds: 0.2 }));
    expect(answers.get(202)).toBe(1);
  });
});
