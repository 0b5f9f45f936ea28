import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { refuse } from '@floodgate/contracts';
import { Shutdown } from '@floodgate/platform';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AdmissionHooks } from './admission/admission.hooks.js';
import { RefusalReport } from './audit-log/refusal-report.js';
import { readJsonBody } from './openapi/json-body.js';
import { bodyBytesDefault } from './openapi/openapi.document.js';
import { ServedRoutes } from './openapi/served-routes.js';
import { problemBody, sendProblem } from './problem/problem.js';
import { ProblemFilter } from './problem/problem.filter.js';

/** How the public server listens. Slow senders are cut off; idle connections are kept long enough for a buyer's next request. */
export const serverOptions = {
  logger: false,
  skipMiddie: true,
  multipart: false,
  exposeHeadRoutes: false,
  bodyLimit: bodyBytesDefault,
  keepAliveTimeout: 65_000,
  requestTimeout: 10_000,
  http: { maxHeaderSize: 16_384, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
  // During a drain, requests on connections that are still open are served, with `Connection: close`.
  return503OnClosing: false,
  forceCloseConnections: 'idle',
  genReqId: requestId,
  routerOptions: { maxParamLength: 256 },
  frameworkErrors: (_error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    reply.header('x-request-id', request.id);
    sendProblem(reply, refuse('INVALID_REQUEST', 'The URL cannot be read.', { errors: [{ path: '/path', message: 'cannot be read' }] }));
  },
  clientErrorHandler,
} as const;

/**
 * Between the first `Connection: close` and the closing of idle connections: those in use end with an answer of their own, and no request
 * meets a connection that is being closed.
 */
const drainNoticeMs = 300;

/** Puts admission, body reading and problem documents into the server. Before the routes are registered. */
export function configureServer(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  const admission = app.get(AdmissionHooks);
  const routes = app.get(ServedRoutes);
  const report = app.get(RefusalReport);
  server.decorateRequest('actor', null as never);
  server.decorateRequest('call', null as never);
  server.decorateRequest('limited', null);
  let draining = false;
  app.get(Shutdown, { strict: false }).onIntake('http', () => {
    draining = true;
    return new Promise((resolve) => { setTimeout(resolve, drainNoticeMs); });
  });
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    // Clients go elsewhere by themselves, before the connection is cut under them.
    if (draining) reply.header('connection', 'close');
    done();
  });
  server.addHook('onRoute', (route) => {
    admission.apply(route);
    report.apply(route);
    routes.add(route);
  });
  acceptJsonOnly(app, server);
  app.useGlobalFilters(new ProblemFilter(routes));
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
}

/** Nothing is inflated here: a few compressed bytes can stand for any number of plain ones. */
function isPlainUtf8(headers: IncomingHttpHeaders): boolean {
  return !/charset=(?!"?utf-?8"?\s*(?:;|$))/i.test(headers['content-type'] ?? '') && (headers['content-encoding'] ?? 'identity') === 'identity';
}

const unsupported = (): Error => Object.assign(new Error('unsupported media type'), { name: 'FastifyError', statusCode: 415 });

/** The client's own id if it is a sane one, so that both sides' logs can be joined. */
function requestId(request: IncomingMessage): string {
  const own = request.headers['x-request-id'];
  return typeof own === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(own) ? own : randomUUID();
}

/** What cannot be parsed as HTTP never becomes a request; it is answered here and the connection is closed. */
function clientErrorHandler(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = { HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large', ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout' }[error.code ?? ''] ?? '400 Bad Request';
  const id = randomUUID();
  const body = JSON.stringify({
    ...problemBody(refuse('INVALID_REQUEST', 'The request cannot be read as HTTP.', { errors: [{ path: '/headers', message: 'cannot be read' }] }), id),
    status: Number(status.slice(0, 3)),
  });
  socket.end(`HTTP/1.1 ${status}\r\ncontent-type: application/problem+json\r\nx-request-id: ${id}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}
