import { randomUUID } from 'node:crypto';
import { requestText, sendRaw, type RawAnswer } from '../support/raw-http.js';
import { get, reserve, reserveRaw, send, type BadCase, type World } from './bad-case.js';

const invalid = { status: 400, code: 'INVALID_REQUEST' } as const;
const origin = (world: World): string => world.api.run.gatewayUrl;
const raw = (world: World, method: string, path: string, headers: Record<string, string> = {}, body = ''): Promise<RawAnswer> =>
  sendRaw(origin(world), requestText(origin(world), method, path, headers, body));
const head = (world: World): Record<string, string> => ({ authorization: `Bearer ${world.buyer.token}` });

/** Numbers 1 to 25: bytes, framing, methods, paths. */
export const transportCases: readonly BadCase[] = [
  { n: 1, sent: 'broken JSON {"a":', ...invalid, go: (w) => reserve(w, { body: '{"a":' }) },
  { n: 2, sent: 'an empty body', ...invalid, go: (w) => reserve(w, { body: '' }) },
  ...['null', '[]', '"x"', '1'].map((body): BadCase => ({ n: 3, sent: `the body ${body}`, ...invalid, go: (w) => reserve(w, { body }) })),
  { n: 4, sent: 'a byte order mark before the JSON (read as if it were not there)', status: 409, code: 'SOLD_OUT', go: (w) => reserve(w, { body: `\uFEFF${JSON.stringify({ entryToken: w.entryToken, items: [{ itemId: w.itemIds[0], quantity: 100 }] })}` }) },
  { n: 5, sent: 'bytes that are not UTF-8', ...invalid, go: (w) => reserve(w, { body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]) }) },
  { n: 6, sent: 'UTF-16, and said so', status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', go: (w) => reserve(w, { body: Buffer.from('{}', 'utf16le'), headers: { 'content-type': 'application/json; charset=utf-16' } }) },
  { n: 6, sent: 'UTF-16, not said', ...invalid, go: (w) => reserve(w, { body: Buffer.from('{}', 'utf16le') }) },
  ...['text/plain', 'application/xml', 'application/json; charset=utf-7', 'application/x-www-form-urlencoded'].map((type): BadCase =>
    ({ n: 7, sent: `content-type ${type}`, status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', go: (w) => reserve(w, { headers: { 'content-type': type } }) })),
  { n: 8, sent: 'a body of 1 MiB (64 KiB are allowed)', status: 413, code: 'PAYLOAD_TOO_LARGE', go: (w) => reserveRaw(w, { body: `{"entryToken":"${'x'.repeat(1_048_576)}"}` }) },
  { n: 9, sent: 'a content-length shorter than the body', status: 400, go: (w) => reserveRaw(w, { headers: { 'content-length': '2' } }) },
  { n: 9, sent: 'a content-length longer than the body', status: 408, go: (w) => reserveRaw(w, { headers: { 'content-length': '4000' } }) },
  { n: 10, sent: 'content-length and transfer-encoding together', status: 400, go: (w) => reserveRaw(w, { headers: { 'content-length': '5', 'transfer-encoding': 'chunked' }, body: '0\r\n\r\n' }) },
  { n: 11, sent: 'transfer-encoding xchunked', status: [400, 501], go: (w) => reserveRaw(w, { headers: { 'transfer-encoding': 'xchunked' } }) },
  { n: 12, sent: 'a compressed body', status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', go: (w) => reserve(w, { headers: { 'content-encoding': 'gzip' } }) },
  { n: 13, sent: '64 KiB of headers', status: 431, go: (w) => reserveRaw(w, { headers: { 'x-long': 'x'.repeat(65_536) } }) },
  { n: 14, sent: '200 headers', status: 431, go: (w) => raw(w, 'GET', '/v1/time', Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-h${i}`, '1']))) },
  { n: 15, sent: 'headers at a byte a second', status: 408, go: (w) => sendRaw(origin(w), 'GET /v1/time HTTP/1.1\r\nhost: x\r\nx-slow: ', { drip: { piece: 'a', everyMs: 1_000 } }) },
  { n: 16, sent: 'no host', status: 400, go: (w) => sendRaw(origin(w), 'GET /v1/time HTTP/1.1\r\nconnection: close\r\n\r\n') },
  { n: 16, sent: 'two hosts', status: 400, go: (w) => sendRaw(origin(w), 'GET /v1/time HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n') },
  { n: 17, sent: 'a line break inside a header', status: 400, go: (w) => reserveRaw(w, { headers: { 'x-split': 'a\rb' } }) },
  ...['PUT', 'PATCH', 'DELETE', 'GET'].map((method): BadCase => ({
    n: 18, sent: `${method} on a POST route`, status: 405, code: 'METHOD_NOT_ALLOWED', go: (w) => raw(w, method, `/v1/sales/${w.saleId}/reservations`, head(w)), also: (answer) => expectHeader(answer.headers, 'allow', /POST/),
  })),
  { n: 18, sent: 'TRACE', status: [404, 405], go: (w) => raw(w, 'TRACE', '/v1/time') },
  { n: 18, sent: 'CONNECT', status: [0, 404, 405], go: (w) => raw(w, 'CONNECT', 'internal:80') },
  { n: 19, sent: 'x-http-method-override: DELETE (ignored)', status: 200, go: (w) => get(w, '/v1/time', undefined, { 'x-http-method-override': 'DELETE' }) },
  { n: 20, sent: 'expect: 100-continue, then silence', status: 408, go: (w) => reserveRaw(w, { headers: { expect: '100-continue', 'content-length': '10' }, body: '' }) },
  { n: 21, sent: 'HTTP/1.0 with keep-alive', status: 200, go: (w) => sendRaw(origin(w), 'GET /v1/time HTTP/1.0\r\nhost: x\r\nconnection: close\r\n\r\n') },
  { n: 21, sent: '100 pipelined requests (each answered once)', status: 200, go: (w) => sendRaw(origin(w), 'GET /v1/time HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(99) + 'GET /v1/time HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', { untilMs: 15_000 }) },
  ...['/%2e%2e/v1/admin/sales', '//v1/admin/sales', '/v1/admin%2fsales', '/V1/ADMIN/SALES', '/v1/admin/sales/', '/v1/./admin/sales', '/v1/admin;x/sales'].map((path): BadCase =>
    ({ n: 22, sent: `path ${path}`, status: [400, 401, 403, 404], go: (w) => raw(w, 'GET', path) })),
  { n: 23, sent: 'a URL of 32 KiB', status: [414, 431], go: (w) => raw(w, 'GET', `/v1/sales/${'a'.repeat(32_768)}`) },
  { n: 24, sent: 'accept: application/xml (JSON is what there is)', status: 200, go: (w) => get(w, '/v1/time', undefined, { accept: 'application/xml' }) },
  ...['null', 'https://evil.example'].map((from): BadCase => ({
    n: 25, sent: `origin ${from}`, status: 200, go: (w) => get(w, '/v1/time', undefined, { origin: from }), also: ({ headers }) => forbidHeader(headers, 'access-control-allow-origin'),
  })),
  { n: 25, sent: 'a preflight from anywhere', status: [204, 404, 405], go: (w) => send(w, 'OPTIONS', `/v1/sales/${w.saleId}/reservations`, { headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' }, key: randomUUID() }), also: ({ headers }) => forbidHeader(headers, 'access-control-allow-origin') },
];

function expectHeader(headers: Record<string, string>, name: string, pattern: RegExp): void {
  if (!pattern.test(headers[name] ?? '')) throw new Error(`header ${name} is ${headers[name]}`);
}

function forbidHeader(headers: Record<string, string>, name: string): void {
  if (name in headers) throw new Error(`header ${name} is ${headers[name]}`);
}
