import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { BotConnection } from './bot-connection.js';

describe('a connection of bots', () => {
  let server: Server;
  let connection: BotConnection;
  let answer: (socket: Socket, received: string) => void;
  beforeEach(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => answer(socket, bytes.toString()));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    connection = new BotConnection('127.0.0.1', (server.address() as AddressInfo).port);
  });
  afterEach(() => {
    connection.close();
    server.close();
  });

  const send = (path: string): Promise<[string, string]> =>
    new Promise((resolve) => connection.send(path, { authorization: 'Bearer x' }, '{"é":1}', (word, text) => resolve([word, text])));
  const reply = (status: number, body: string): string => `HTTP/1.1 ${status} X\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

  it('sends the next before the first is answered, and hands out the answers in their order, however they are cut', async () => {
    let received = '';
    answer = (socket, text) => {
      received += text;
      if (received.split('POST ').length < 4) return;
      for (const part of [reply(202, '{"n":1}'), reply(429, ''), reply(401, '{"n":3}')].join('').match(/.{1,7}/gs)!) socket.write(part);
    };
    expect(await Promise.all([send('/a'), send('/b'), send('/c')])).toEqual([['202', '{"n":1}'], ['429', ''], ['401', '{"n":3}']]);
    expect(received).toMatch(/^POST \/a HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\nauthorization: Bearer x\r\ncontent-length: 8\r\n\r\n\{"é":1\}POST \/b /);
    expect(connection.underWay).toBe(0);
  });

  it('loses what is under way when it is cut off, and opens another', async () => {
    answer = (socket) => void socket.end(`HTTP/1.1 408 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    expect(await Promise.all([send('/a'), send('/b')])).toEqual([['408', ''], ['LOST', '']]);
    answer = (socket) => void socket.write(reply(200, 'x'));
    expect(await send('/c')).toEqual(['200', 'x']);
  });
});
