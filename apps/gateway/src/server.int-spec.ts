import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bearer, startGateway, type Gateway } from './testing/gateway.fixture.js';

let gateway: Gateway;
let port: number;
beforeAll(async () => {
  gateway = await startGateway();
  await gateway.app.listen(0, '127.0.0.1');
  port = (gateway.app.getHttpServer().address() as AddressInfo).port;
});
afterAll(() => gateway.close());

/** Sends these bytes, then nothing more, and waits until the server ends the connection. */
async function sendRaw(text: string): Promise<{ status: number; head: string; json: any }> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data: Buffer) => { answer += data.toString('latin1'); });
  // A server that answers before it has read everything resets what is still on its way.
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  // Garbage after a request that was answered has an answer of its own.
  const body = rest.join('\r\n\r\n').slice(0, Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0));
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, json: body.startsWith('{') ? JSON.parse(body) : null };
}

const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`;
const post = 'POST /v1/sales/Sale000001/reservations HTTP/1.1';

describe('a request that is no HTTP, or too much of it', () => {
  it.each<[string, string, number]>([
    ['no HTTP at all', lines('hello'), 400],
    ['without a host', lines('GET /livez HTTP/1.1', 'Connection: close'), 400],
    ['with two hosts', lines('GET /livez HTTP/1.1', 'Host: a', 'host: b', 'Connection: close'), 400],
    ['with a header that has no colon', lines('GET /livez HTTP/1.1', 'Host: a', 'what'), 400],
    ['with a line break inside a header', lines('GET /livez HTTP/1.1', 'Host: a', 'x: a\nb', 'Connection: close'), 400],
    ['with two lengths', `${lines(post, 'Host: a', 'Content-Length: 1', 'Transfer-Encoding: chunked')}0\r\n\r\n`, 400],
    ['with an unknown transfer encoding', lines(post, 'Host: a', `Authorization: ${bearer('buyer-1', 'buyer').authorization}`, 'Idempotency-Key: k', 'Content-Type: application/json', 'Transfer-Encoding: xchunked'), 400],
    ['with a negative length', lines(post, 'Host: a', 'Content-Length: -1'), 400],
    ['with 64 KiB of headers', lines('GET /livez HTTP/1.1', 'Host: a', `x: ${'x'.repeat(65_536)}`), 431],
    ['with 200 headers', lines('GET /livez HTTP/1.1', 'Host: a', 'Connection: close', ...Array.from({ length: 200 }, (_, n) => `x-${n}: 1`)), 431],
    ['with a URL of 32 KiB', lines(`GET /v1/sales?x=${'x'.repeat(32_768)} HTTP/1.1`, 'Host: a'), 414],
    ['with a URL of 9 KiB', lines(`GET /v1/sales?x=${'x'.repeat(9_000)} HTTP/1.1`, 'Host: a', 'Connection: close'), 414],
  ])('%s is refused with a problem document', async (_, text, status) => {
    const got = await sendRaw(text);
    expect([got.status, got.json]).toEqual([status, expect.objectContaining({ status, code: 'INVALID_REQUEST', requestId: expect.any(String), type: 'urn:floodgate:problem:INVALID_REQUEST' })]);
    expect(got.head).toMatch(/content-type: application\/problem\+json/i);
    expect(got.head).toMatch(/x-content-type-options: nosniff/i);
  });
});

describe('a client that takes its time', () => {
  const authorization = `Authorization: ${bearer('buyer-1', 'buyer').authorization}`;

  it.each<[string, string]>([
    ['within its headers', 'GET /livez HTTP/1.1\r\nHost: a\r\nx'],
    ['before its body', lines(post, 'Host: a', authorization, 'Idempotency-Key: k', 'Content-Type: application/json', 'Content-Length: 100')],
    ['within its body', `${lines(post, 'Host: a', authorization, 'Idempotency-Key: k', 'Content-Type: application/json', 'Content-Length: 100')}{"entry`],
    ['after asking whether it may send', lines(post, 'Host: a', authorization, 'Idempotency-Key: k', 'Content-Type: application/json', 'Content-Length: 100', 'Expect: 100-continue')],
  ])('%s is cut off', async (_, text) => {
    const { head } = await sendRaw(text);
    // What was answered first (a 100, an early refusal) does not matter: the connection is gone.
    expect(head === '' || /^HTTP\/1\.1 (100|4\d\d)/.test(head)).toBe(true);
  });
});
