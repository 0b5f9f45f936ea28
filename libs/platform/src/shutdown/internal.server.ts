import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorText } from '../errors.js';
import { metrics } from '../telemetry/metrics.js';
import type { Readiness } from './readiness.js';

/** The listener for operators: `/livez`, `/readyz`, `/metrics`. Never reachable from outside; up before anything else. */
export class InternalServer {
  private readonly server: Server;
  /** Undefined while the service starts: alive, not ready. */
  private readiness: Readiness | undefined;

  constructor() {
    this.server = createServer((request, response) => {
      this.route(request.url ?? '/', response).catch((error: unknown) => send(response, 500, 'text/plain', errorText(error)));
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

  started(readiness: Readiness): void {
    this.readiness = readiness;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => { this.server.close(() => resolve()); });
  }

  private async route(url: string, response: ServerResponse): Promise<void> {
    switch (new URL(url, 'http://internal').pathname) {
      case '/livez': return report(response, this.readiness ? await this.readiness.dead() : []);
      case '/readyz': return report(response, this.readiness ? await this.readiness.failing() : ['starting']);
      case '/metrics': return send(response, 200, metrics.contentType, await metrics.metrics());
      default: return send(response, 404, 'text/plain', 'not found\n');
    }
  }
}

const report = (response: ServerResponse, failing: string[]): void =>
  send(response, failing.length === 0 ? 200 : 503, 'application/json', JSON.stringify({ ok: failing.length === 0, failing }));

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
