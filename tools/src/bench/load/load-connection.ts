import { connect, type Socket } from 'node:net';

/** The status of an answer, 0 where the connection broke before there was one. */
export type OnAnswer = (status: number) => void;

/** One kept-alive connection with one request under way at a time. Costs as little as it can: it shares the machine with what it measures. */
export class LoadConnection {
  private socket: Socket | null = null;
  private received: Buffer | null = null;
  private waiting: OnAnswer | null = null;

  constructor(private readonly host: string, private readonly port: number) {}

  /** @param request the bytes, latin1 */
  send(request: string, onAnswer: OnAnswer): void {
    this.socket ??= this.open();
    this.waiting = onAnswer;
    this.socket.write(request, 'latin1');
  }

  close(): void {
    this.socket?.destroy();
  }

  private open(): Socket {
    const socket = connect(this.port, this.host);
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => this.read(data));
    socket.on('error', () => undefined); // `close` follows
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.received = null;
      this.settle(0);
    });
    return socket;
  }

  private read(data: Buffer): void {
    const text = this.received ? Buffer.concat([this.received, data]) : data;
    const end = text.indexOf('\r\n\r\n');
    const head = end < 0 ? '' : text.toString('latin1', 0, end);
    if (end < 0 || text.length < end + 4 + bodyLength(head)) {
      this.received = text;
      return;
    }
    this.received = null;
    this.settle(Number(head.slice(9, 12)));
  }

  private settle(status: number): void {
    const { waiting } = this;
    this.waiting = null;
    waiting?.(status);
  }
}

/** Everybody here says how long their answer is. */
function bodyLength(head: string): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer of unknown length: ${head.slice(0, 200)}`);
  return Number(length);
}
