import { connect, type Socket } from 'node:net';

/** The status line's number (or `LOST`) and the body. */
export type BotAnswer = (word: string, text: string) => void;

const headEnd = '\r\n\r\n';

/**
 * One kept-alive connection that sends the next requests without waiting for the answers: for senders that must cost next to nothing.
 * Answers come in the order of the requests. Whatever breaks the connection loses those under way; the next request opens another.
 */
export class BotConnection {
  private socket: Socket | null = null;
  private waiting: BotAnswer[] = [];
  private received = '';
  private corked = false;

  constructor(private readonly host: string, private readonly port: number) {}

  get underWay(): number {
    return this.waiting.length;
  }

  /** @param done called once, with the answer or `LOST` */
  send(path: string, headers: Record<string, string>, body: string, done: BotAnswer): void {
    const socket = this.socket ??= this.open();
    this.waiting.push(done);
    if (!this.corked) {
      // What is sent in one turn leaves in one packet.
      this.corked = true;
      socket.cork();
      process.nextTick(() => { this.corked = false; socket.uncork(); });
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`POST ${path} HTTP/1.1\r\nhost: ${this.host}:${this.port}\r\n${lines}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  close(): void {
    this.socket?.destroy();
  }

  private open(): Socket {
    const socket = connect(this.port, this.host);
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => this.read(socket, text));
    socket.on('error', () => undefined); // `close` follows and says what is lost.
    socket.on('close', () => { if (this.socket === socket) this.lose(); });
    return socket;
  }

  private read(socket: Socket, text: string): void {
    this.received += text;
    for (let at = 0; ;) {
      const end = this.received.indexOf(headEnd, at);
      const head = end < 0 ? '' : this.received.slice(at, end);
      const bodyAt = end + headEnd.length;
      const bodyEnd = bodyAt + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (/\r\ntransfer-encoding:/i.test(head)) return void socket.destroy(); // The gateway never cuts an answer into chunks.
      if (end < 0 || this.received.length < bodyEnd) {
        this.received = this.received.slice(at);
        return;
      }
      this.waiting.shift()?.(head.slice(9, 12), this.received.slice(bodyAt, bodyEnd));
      at = bodyEnd;
      if (/\r\nconnection: *close/i.test(head)) return void socket.destroy();
    }
  }

  private lose(): void {
    const lost = this.waiting;
    this.socket = null;
    this.received = '';
    this.waiting = [];
    for (const done of lost) done('LOST', '');
  }
}
