import { Pool, type Dispatcher } from 'undici';

/** What came back for a request. `lost`: no answer; `reached` says whether the server may have acted on it. */
export type Answer = Answered | Lost;
export interface Answered {
  kind: 'answered';
  /** When the request went out (a call waits for a free connection first), epoch. */
  sentAtMs: number;
  status: number;
  /** The parsed JSON, or {} where there was none. */
  body: Record<string, unknown>;
  replayed: boolean;
}
export interface Lost {
  kind: 'lost';
  sentAtMs: number;
  reached: 'no' | 'maybe';
  why: string;
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT';
  path: string;
  token?: string;
  key?: string;
  /** The client's address, as the proxy before the gateway reports it. */
  from?: string;
  body?: unknown;
  /** Not sent any more when a connection becomes free later than this, epoch: nobody wants the answer then. */
  notAfterMs?: number;
}

/** Hears every answer, for who counts them. */
export type Listener = (call: Call, answer: Answer) => void;

/** Longer than the platform's own deadlines: it is the server who should say that it does not know. */
const timeoutMs = 8_000;

/** JSON over a few kept-alive connections to one origin. Never throws for what the network does: that is an answer too. */
export class HttpClient {
  private readonly pool: Pool;
  /** Requests that went out. */
  sent = 0;
  private free: number;
  private readonly queue: (() => void)[] = [];

  constructor(origin: string, connections: number, private readonly heard?: Listener) {
    this.free = connections;
    this.pool = new Pool(origin, { connections, pipelining: 1, headersTimeout: timeoutMs, bodyTimeout: timeoutMs, connect: { timeout: 3_000 }, keepAliveTimeout: 4_000 });
  }

  async call(call: Call): Promise<Answer> {
    if (this.free === 0) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.free--;
    const sentAtMs = Date.now();
    try {
      if (call.notAfterMs !== undefined && sentAtMs > call.notAfterMs) return { kind: 'lost', sentAtMs, reached: 'no', why: 'too late to be sent' };
      const answer = await this.send(call, sentAtMs);
      this.heard?.(call, answer);
      return answer;
    } finally {
      const next = this.queue.shift();
      if (next) next();
      else this.free++;
    }
  }

  /** An open response, for server-sent events; the caller reads or destroys its body. Throws when the server is away. */
  open(path: string, headers: Record<string, string>): Promise<Dispatcher.ResponseData> {
    this.sent++;
    // The server sends a heartbeat every 15 s; a stream silent for twice that is dead.
    return this.pool.request({ method: 'GET', path, headers, bodyTimeout: 31_000 });
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async send({ method, path, token, key, from, body }: Call, sentAtMs: number): Promise<Answer> {
    const headers: Record<string, string> = {};
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (key !== undefined) headers['idempotency-key'] = key;
    if (from !== undefined) headers['x-forwarded-for'] = from;
    if (body !== undefined) headers['content-type'] = 'application/json';
    this.sent++;
    try {
      const response = await this.pool.request({ method, path, headers, body: body === undefined ? null : JSON.stringify(body) });
      const text = await response.body.text();
      return { kind: 'answered', sentAtMs, status: response.statusCode, body: parse(text), replayed: response.headers['idempotency-replayed'] === 'true' };
    } catch (error) {
      return lost(error, sentAtMs);
    }
  }
}

/** The problem code of a refusal, or the bare status where there is no problem document. */
export function codeOf(answer: Answered): string {
  return typeof answer.body.code === 'string' ? answer.body.code : `HTTP_${answer.status}`;
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {}; // A page or an empty body: the status says it all.
  }
}

const notSent = new Set(['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH', 'ENOTFOUND']);

function lost(error: unknown, sentAtMs: number): Lost {
  const code = (error as { code?: string }).code ?? (error instanceof Error ? error.message : String(error));
  return { kind: 'lost', sentAtMs, reached: notSent.has(code) ? 'no' : 'maybe', why: code };
}
