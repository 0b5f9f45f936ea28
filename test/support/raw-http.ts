import net from 'node:net';

/** What came back over a raw connection. `status` 0: it was closed without an answer. */
export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
  /** Every status line on the connection, for pipelined requests. */
  statuses: number[];
}

export interface RawOptions {
  /** Pieces sent later, one each `everyMs`: a slow client. */
  drip?: { piece: string; everyMs: number };
  /** When to look at what has come, if the server keeps the connection open. */
  untilMs?: number;
}

/** Sends bytes as they are, and reads until the server closes or `untilMs` has passed (25 s). Never throws for what the server does. */
export async function sendRaw(origin: string, bytes: string | Buffer, { drip, untilMs = 25_000 }: RawOptions = {}): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const socket = net.connect({ host: hostname, port: Number(port) });
  const received: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    const deadline = setTimeout(resolve, untilMs);
    const end = (): void => {
      clearTimeout(deadline);
      resolve();
    };
    socket.on('data', (chunk) => {
      received.push(chunk);
      if (!drip && isComplete(Buffer.concat(received))) end();
    });
    socket.on('close', end);
    socket.on('error', end); // a reset is an answer too
    socket.write(bytes);
    if (drip) timer = setInterval(() => socket.write(drip.piece), drip.everyMs);
  });
  clearInterval(timer);
  socket.destroy();
  return parse(Buffer.concat(received).toString('latin1'));
}

/** The request line and headers of a request that a test then spoils. */
export function requestText(origin: string, method: string, path: string, headers: Record<string, string>, body = ''): string {
  const all = { host: new URL(origin).host, connection: 'close', ...headers };
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

/** Whether one whole answer with a stated length is there, on a connection that says it stays open. */
function isComplete(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  const headEnd = text.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1];
  return headEnd > 0 && /\r\nconnection: close\r\n/i.test(text) && length !== undefined && bytes.length >= headEnd + 4 + Number(length);
}

function parse(received: string): RawAnswer {
  const text = received.replace(/^(HTTP\/1\.1 1\d\d [^\r]*\r\n\r\n)+/, ''); // what is said on the way is no answer
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const headers = Object.fromEntries(head.split('\r\n').slice(1).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  return { status: statuses[0] ?? 0, headers, text: rest.join('\r\n\r\n'), statuses };
}
