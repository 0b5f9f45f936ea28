import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorText } from '../errors.js';
import { metrics } from '../telemetry/metrics.js';
import type { InternalRoutes } from './internal.routes.js';
import type { Readiness } from './readiness.js';

const bodyBytesMax = 1_048_576;

/** The listener for operators: `/livez`, `/readyz`, `/metrics`, and what the service takes by POST. Never reachable from outside; up before anything else. */
export class InternalServer {
  private readonly server: Server;
  /** Undefined while the service starts: alive, not ready. */
  private readiness: Readiness | undefined;
  private routes: InternalRoutes | undefined;

  constructor() {
    this.server = createServer((request, response) => {
      this.route(request, response).catch((error: unknown) => send(response, 500, 'text/plain', errorText(error)));
    });
  }

  /** @returns the port (of interest where 0 was asked for) */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  started(readiness: Readiness, routes: InternalRoutes): void {
    this.readiness = readiness;
    this.routes = routes;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => { this.server.close(() => resolve()); });
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://internal');
    const handler = request.method === 'POST' ? this.routes?.find(pathname) : undefined;
    if (handler) {
      const body = await readBody(request);
      // The connection ends with the answer: the rest of what is too long is not read.
      if (body === null) return send(response.setHeader('connection', 'close'), 413, 'text/plain', 'too long\n');
      const answer = await handler({ authorization: request.headers.authorization, body });
      return send(response, answer.status, 'application/json', JSON.stringify(answer.body));
    }
    switch (pathname) {
      case '/livez': return report(response, this.readiness ? await this.readiness.dead() : []);
      case '/readyz': return report(response, this.readiness ? await this.readiness.failing() : ['starting']);
      case '/metrics': return send(response, 200, metrics.contentType, await metrics.metrics());
      default: return send(response, 404, 'text/plain', 'not found\n');
    }
  }
}

const report = (response: ServerResponse, failing: string[]): void =>
  send(response, failing.length === 0 ? 200 : 503, 'application/json', JSON.stringify({ ok: failing.length === 0, failing }));

async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
