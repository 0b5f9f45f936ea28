import { createServer, type ServerResponse } from 'node:http';
import { settings } from './grab.js';

const refused = JSON.stringify({ type: 'urn:floor:SOLD_OUT', title: 'Sold out', status: 409, detail: 'Nothing is left.', code: 'SOLD_OUT' });
const accepted = { reservationId: 'x.AAAAAAAAAAAAAAAAAAAAAA', state: 'QUEUED', number: 0, statusUrl: '/v1/reservations/x.AAAAAAAAAAAAAAAAAAAAAA', pollAfterMs: 500 };

/** What HTTP itself costs: an answer before the body is read, and one that depends on it. Behind it is nothing at all. */
const server = createServer((request, response) => {
  if (request.url === '/early') {
    request.resume();
    answer(response, 409, refused);
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { items } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { items: unknown[] };
    answer(response, 202, JSON.stringify({ ...accepted, number: items.length }));
  });
});
server.keepAliveTimeout = 65_000;
server.listen(settings.port, '127.0.0.1');

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
