import net from 'node:net';
import { freePort } from '../../tools/src/process/free-port.js';

/**
 * A TCP proxy on loopback that can stop passing what the server says, or cut every connection.
 * What was held back is passed on when it is released, so no byte is ever lost or reordered.
 */
export class TcpProxy {
  private readonly sockets = new Set<{ client: net.Socket; server: net.Socket }>();
  private holding = false;

  private constructor(private readonly listener: net.Server, readonly port: number) {}

  static async to(url: URL): Promise<{ proxy: TcpProxy; url: string }> {
    const port = await freePort();
    const listener = net.createServer({ noDelay: true });
    const proxy = new TcpProxy(listener, port);
    listener.on('connection', (client) => proxy.join(client, net.connect({ host: url.hostname, port: Number(url.port), noDelay: true })));
    await new Promise<void>((resolve, reject) => listener.once('error', reject).listen(port, '127.0.0.1', resolve));
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(port);
    return { proxy, url: through.toString() };
  }

  /** Holds back everything the server sends on the connections that are open now and later. */
  hold(): void {
    this.holding = true;
    for (const { server } of this.sockets) server.pause();
  }

  release(): void {
    this.holding = false;
    for (const { server } of this.sockets) server.resume();
  }

  /** Resets every connection that is open now. */
  cut(): void {
    for (const { client, server } of this.sockets) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.listener.close(resolve));
  }

  private join(client: net.Socket, server: net.Socket): void {
    const pair = { client, server };
    this.sockets.add(pair);
    const end = () => {
      this.sockets.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    client.on('data', (data) => server.write(data));
    server.on('data', (data) => client.write(data));
    if (this.holding) server.pause();
  }
}
