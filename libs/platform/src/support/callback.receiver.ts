import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Callback {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** An HTTP server that gets callbacks; `answer` decides what each is answered (a status, or no answer at all). */
export class CallbackReceiver {
  readonly received: Callback[] = [];
  private readonly server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const callback = { headers: request.headers, body: Buffer.concat(chunks) };
      this.received.push(callback);
      void this.answer(callback).then((status) => (status === 'nothing' ? request.socket.destroy() : response.writeHead(status).end('{}')));
    });
  });

  constructor(public answer: (callback: Callback) => Promise<number | 'nothing'> = async () => 200) {}

  /** @returns its URL */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => { this.server.listen(0, '127.0.0.1', resolve); });
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/callbacks`;
  }

  /** The bodies so far, read as JSON. */
  bodies<T>(): T[] {
    return this.received.map(({ body }) => JSON.parse(body.toString()) as T);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }
}
