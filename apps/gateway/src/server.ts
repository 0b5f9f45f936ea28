import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { refuse, type Refusal } from '@floodgate/contracts';
import { requestIdPattern } from '@floodgate/platform';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AdmissionHooks } from './admission/admission.hooks.js';
import { GATEWAY_CONFIG, type GatewayConfig } from './config.js';
import { RefusalReport } from './audit-log/refusal-report.js';
import { readJsonBody } from './openapi/json-body.js';
import { bodyBytesDefault } from './openapi/openapi.document.js';
import { mayTakeItsTime, streamBodies } from './openapi/streamed-body.js';
import { ServedRoutes } from './openapi/served-routes.js';
import { problemBody, sendProblem } from './problem/problem.js';
import { ProblemFilter } from './problem/problem.filter.js';
import { browserHeaders, fixedHeaderLines, fixedHeaders } from './server-headers.js';

/** How the public server listens. Slow senders are cut off; idle connections are kept long enough for a buyer's next request. */
export const serverOptions = {
  logger: false,
  skipMiddie: true,
  multipart: false,
  exposeHeadRoutes: false,
  bodyLimit: bodyBytesDefault,
  keepAliveTimeout: 65_000,
  requestTimeout: 10_000,
  // A reader that takes nothing for this long is gone; an event stream beats every 15 s, and no answer takes longer.
  connectionTimeout: 90_000,
  // Node's own check of the host answers without a body; see unreadableStatus.
  http: { maxHeaderSize: 16_384, headersTimeout: 5_000, connectionsCheckingInterval: 1_000, requireHostHeader: false },
  // During a drain, requests on connections that are still open are served, with `Connection: close`.
  return503OnClosing: false,
  forceCloseConnections: 'idle',
  genReqId: requestId,
  routerOptions: { maxParamLength: 256 },
  frameworkErrors: (_error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    // No hook runs for these.
    reply.headers({ ...fixedHeaders, 'x-request-id': request.id });
    sendProblem(reply, refuse('INVALID_REQUEST', 'The URL cannot be read.', { errors: [{ path: '/path', message: 'cannot be read' }] }));
  },
  clientErrorHandler,
} as const;

/** Longer than any of our URLs; an item list of a big sale is the longest. */
const urlCharactersMax = 8_192;
const headersMax = 100;
/** Bodies that are read as they come, where an operation takes them. */
const streamedTypes = ['text/csv', 'application/x-ndjson'];

/** Puts admission, body reading and problem documents into the server. Before the routes are registered. */
export function configureServer(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  const admission = app.get(AdmissionHooks);
  const routes = app.get(ServedRoutes);
  const report = app.get(RefusalReport);
  server.decorateRequest('actor', null as never);
  server.decorateRequest('call', null as never);
  server.decorateRequest('limited', null);
  const setBrowserHeaders = browserHeaders(browserRules(app.get<GatewayConfig>(GATEWAY_CONFIG, { strict: false })));
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    if (setBrowserHeaders(request, reply)) return;
    const status = unreadableStatus(request);
    if (status === null) done();
    else sendProblem(reply, unreadable(status), status);
  });
  server.addHook('onRoute', (route) => {
    admission.apply(route);
    report.apply(route);
    routes.add(route);
  });
  acceptJsonOnly(app, server);
  app.useGlobalFilters(new ProblemFilter(routes));
}

const browserRules = ({ NODE_ENV, CORS_ORIGINS }: GatewayConfig) => ({ production: NODE_ENV === 'production', origins: CORS_ORIGINS });

/** What Node lets through and we do not take: it bounds the bytes of URL and headers together, not each, and keeps the first of two hosts. */
function unreadableStatus({ url, raw: { rawHeaders, httpVersion } }: FastifyRequest): 400 | 414 | 431 | null {
  if (url.length > urlCharactersMax) return 414;
  if (rawHeaders.length > 2 * headersMax) return 431;
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === 'host') hosts++;
  return hosts > 1 || (hosts === 0 && httpVersion !== '1.0') ? 400 : null;
}

const unreadableBecause = {
  400: { path: '/headers', message: 'cannot be read', detail: 'The request cannot be read as HTTP.' },
  408: { path: '', message: 'did not come in time', detail: 'The request did not come in time.' },
  414: { path: '/path', message: 'is too long', detail: `The URL may have at most ${urlCharactersMax} characters.` },
  431: { path: '/headers', message: 'are too many or too long', detail: `At most ${headersMax} headers of 16 KiB together are read.` },
} as const;

function unreadable(status: keyof typeof unreadableBecause): Refusal {
  const { path, message, detail } = unreadableBecause[status];
  return refuse('INVALID_REQUEST', detail, { errors: [{ path, message }] });
}

/** JSON is kept as it came, next to what it says; form and form encodings are refused. Nest adds no parsers of its own then. */
function acceptJsonOnly(app: NestFastifyApplication, server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  app.useBodyParser('application/json', {}, (request, raw, done) => {
    if (isPlainUtf8(request.headers)) done(null, readJsonBody(raw));
    else done(unsupported());
  });
  // `curl -d ''` names a type for a body that is not there.
  app.useBodyParser('*', {}, (_request, raw, done) => {
    if (raw.length === 0) done(null, undefined);
    else done(unsupported());
  });
  streamBodies(server, streamedTypes, isPlainUtf8, unsupported);
}

/** Nothing is inflated here: a few compressed bytes can stand for any number of plain ones. */
function isPlainUtf8(headers: IncomingHttpHeaders): boolean {
  return !/charset=(?!"?utf-?8"?\s*(?:;|$))/i.test(headers['content-type'] ?? '') && (headers['content-encoding'] ?? 'identity') === 'identity';
}

const unsupported = (): Error => Object.assign(new Error('unsupported media type'), { name: 'FastifyError', statusCode: 415 });

/** The client's own id if it is a sane one, so that both sides' logs can be joined. */
function requestId(request: IncomingMessage): string {
  const own = request.headers['x-request-id'];
  return typeof own === 'string' && requestIdPattern.test(own) ? own : randomUUID();
}

/** What cannot be parsed as HTTP never becomes a request; it is answered here and the connection is closed. */
function clientErrorHandler(error: Error & { code?: string; rawPacket?: Buffer }, socket: Socket): void {
  // An import takes as long as it takes; its own watch is on the silence between its bytes.
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && mayTakeItsTime(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = statusOfClientError(error);
  const id = randomUUID();
  const body = JSON.stringify({ ...problemBody(unreadable(status), id), status });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\nx-request-id: ${id}\r\n${fixedHeaderLines}`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}

function statusOfClientError({ code, rawPacket }: { code?: string; rawPacket?: Buffer }): keyof typeof unreadableBecause {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  if (code !== 'HPE_HEADER_OVERFLOW') return 400;
  // The parser counts the URL among the headers: it was the URL if its line alone is longer than it may be.
  const line = rawPacket?.subarray(0, urlCharactersMax) ?? Buffer.alloc(0);
  return /^[A-Z]+ \//.test(line.toString('latin1')) && !line.includes('\n') ? 414 : 431;
}
