import net from 'node:net';

/** A TCP proxy for tests: cuts, slows down, holds back what the server says, refuses, and can say something in the server's name. */
export class TcpProxy {
  private readonly pairs = new Set<{ client: net.Socket; server: net.Socket }>();
  private readonly listener: net.Server;
  private holding = false;
  private refusing = false;
  /** Milliseconds that everything takes longer, each way. */
  delayMs = 0;
  port = 0;

  constructor(private readonly target: URL) {
    this.listener = net.createServer({ noDelay: true }, (client) => this.join(client));
  }

  /** @returns the target's URL, through the proxy */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.listener.listen(0, '127.0.0.1', resolve));
    this.port = (this.listener.address() as net.AddressInfo).port;
    return this.url;
  }

  /** The target's URL, through the proxy; once it has started. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.toString();
  }

  /** Resets every connection; new ones are refused until {@link accept}. */
  refuse(): void {
    this.refusing = true;
    this.cut();
  }

  accept(): void {
    this.refusing = false;
  }

  cut(): void {
    for (const { client, server } of this.pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  hold(): void {
    this.holding = true;
    for (const { server } of this.pairs) server.pause();
  }

  release(): void {
    this.holding = false;
    for (const { server } of this.pairs) server.resume();
  }

  /** To every client, as if the server had said it. Only between frames, so: on idle connections. */
  say(bytes: Buffer): void {
    for (const { client } of this.pairs) client.write(bytes);
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.listener.close(resolve));
  }

  private join(client: net.Socket): void {
    if (this.refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = net.connect({ host: this.target.hostname, port: Number(this.target.port), noDelay: true });
    const pair = { client, server };
    this.pairs.add(pair);
    const end = () => {
      this.pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    client.on('data', this.carry(server));
    server.on('data', this.carry(client));
    if (this.holding) server.pause();
  }

  /** Late, where everything is; in order all the same. */
  private carry(to: net.Socket): (data: Buffer) => void {
    const late: { data: Buffer; atMs: number }[] = [];
    const deliver = (): void => {
      while (late[0] && late[0].atMs <= performance.now()) to.write(late.shift()!.data);
      if (late[0]) setTimeout(deliver, Math.ceil(late[0].atMs - performance.now()));
    };
    return (data) => {
      if (this.delayMs === 0 && late.length === 0) {
        to.write(data);
        return;
      }
      late.push({ data, atMs: Math.max(late.at(-1)?.atMs ?? 0, performance.now() + this.delayMs) });
      if (late.length === 1) deliver();
    };
  }
}
