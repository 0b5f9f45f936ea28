import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Whose robot it is. */
export type PretendKind = 'wecom' | 'feishu' | 'dingtalk' | 'slack' | 'webhook';

/** A message as a group would see it, and as it came. */
export interface HeardByRobot {
  text: string;
  body: any;
}

interface Request {
  url: URL;
  headers: IncomingHttpHeaders;
  text: string;
  body: any;
}

interface Manners {
  /** [messages, milliseconds]; beyond them the robot says so in its own words. */
  limits: readonly (readonly [number, number])[];
  bytesMax: number;
  tooMany: readonly [status: number, body: string, headers?: Record<string, string>];
  /** What is wrong with a request, as the robot answers it; null: nothing. */
  fault: (request: Request, secret: string, nowMs: number) => string | null;
  read: (body: any) => string;
  taken: string;
}

const hmac = (key: string, text: string, encoding: 'base64' | 'hex' = 'base64'): string => createHmac('sha256', key).update(text).digest(encoding);
const lines = (content: any[][]): string => content.map((row) => row.map((element) => element.text).join('')).join('\n');

/** Each kind as its makers describe it: what it takes, what it refuses, and in which words. */
const manners: Record<PretendKind, Manners> = {
  wecom: {
    limits: [[20, 60_000]], bytesMax: 2_048, tooMany: [200, '{"errcode":45009,"errmsg":"api freq out of limit"}'],
    fault: ({ body, text }) => (body.msgtype !== 'text' || typeof body.text?.content !== 'string' ? '{"errcode":40008,"errmsg":"invalid message type"}'
      : Buffer.byteLength(body.text.content) > 2_048 ? '{"errcode":40058,"errmsg":"text exceed max length 2048"}' : text === '' ? '{"errcode":44004,"errmsg":"content is empty"}' : null),
    read: (body) => body.text.content, taken: '{"errcode":0,"errmsg":"ok"}',
  },
  feishu: {
    limits: [[100, 60_000], [5, 1_000]], bytesMax: 20_480, tooMany: [200, '{"code":11232,"msg":"frequency limited","data":{}}'],
    fault: ({ body }, secret, nowMs) => (body.sign !== hmac(`${body.timestamp}\n${secret}`, '') || Math.abs(nowMs / 1000 - Number(body.timestamp)) > 3_600
      ? '{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time","data":{}}'
      : body.msg_type !== 'post' || !Array.isArray(body.content?.post?.zh_cn?.content) ? '{"code":9499,"msg":"Bad Request","data":{}}' : null),
    read: ({ content: { post: { zh_cn: post } } }) => `${post.title}\n${lines(post.content)}`, taken: '{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}',
  },
  dingtalk: {
    limits: [[20, 60_000]], bytesMax: 20_000, tooMany: [200, '{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}'],
    fault: ({ url, body }, secret, nowMs) => {
      const timestamp = url.searchParams.get('timestamp') ?? '';
      if (url.searchParams.get('sign') !== hmac(secret, `${timestamp}\n${secret}`) || Math.abs(nowMs - Number(timestamp)) > 3_600_000) return '{"errcode":310000,"errmsg":"sign not match"}';
      return body.msgtype === 'text' && body.at?.isAtAll === false ? null : '{"errcode":40035,"errmsg":"invalid parameter"}';
    },
    read: (body) => body.text.content, taken: '{"errcode":0,"errmsg":"ok"}',
  },
  slack: {
    limits: [[1, 1_000]], bytesMax: 40_000, tooMany: [429, 'rate_limited', { 'retry-after': '1' }],
    fault: ({ body }) => (typeof body.text === 'string' && !/<[@!#]/.test(body.text) ? null : 'invalid_payload'),
    read: (body) => body.text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'), taken: 'ok',
  },
  webhook: {
    limits: [[60, 60_000]], bytesMax: 65_536, tooMany: [429, '', { 'retry-after': '60' }],
    fault: ({ headers, text }, secret, nowMs) => {
      const [, time = '', digest = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-signature'])) ?? [];
      return digest === hmac(secret, `${time}.${text}`, 'hex') && Math.abs(nowMs / 1000 - Number(time)) < 300 ? null : 'bad signature';
    },
    read: ({ title, lines: rows, link }) => [title, ...rows, ...(link === null ? [] : [link])].join('\n'), taken: '',
  },
};

/** A robot on loopback that speaks one kind's format and keeps its limits, by the clock of this machine. */
export class PretendRobot {
  readonly heard: HeardByRobot[] = [];
  /** Requests that went beyond a limit. */
  tooMany = 0;
  /** Answers with this instead of taking anything. */
  broken: { status: number; body: string } | null = null;
  /** The clock by which it counts is so much ahead; signatures go by the true time. */
  aheadMs = 0;
  private readonly times: number[] = [];

  private constructor(private readonly kind: PretendKind, readonly secret: string, private readonly server: Server) {}

  static async start(kind: PretendKind, secret = 'SEC-q7Hk2ZpX9vLw4NbT8sRd'): Promise<PretendRobot> {
    const server = createServer();
    const robot = new PretendRobot(kind, secret, server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        const [status, body, headers] = robot.answer(new URL(request.url ?? '/', 'http://robot'), request.headers, Buffer.concat(chunks).toString('utf8'));
        response.writeHead(status, headers ?? {}).end(body);
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    return robot;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/robot?key=the-key`;
  }

  get texts(): string[] {
    return this.heard.map(({ text }) => text);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }

  private answer(url: URL, headers: IncomingHttpHeaders, text: string): readonly [number, string, Record<string, string>?] {
    const { limits, bytesMax, tooMany, fault, read, taken } = manners[this.kind];
    if (this.broken) return [this.broken.status, this.broken.body];
    const nowMs = Date.now() + this.aheadMs;
    this.times.push(nowMs);
    if (limits.some(([messages, withinMs]) => this.times.filter((at) => at > nowMs - withinMs).length > messages)) {
      this.tooMany++;
      return tooMany;
    }
    if (url.searchParams.get('key') !== 'the-key') return [200, '{"errcode":93000,"errmsg":"invalid webhook url"}'];
    if (Buffer.byteLength(text) > bytesMax + 500) return [413, 'too long'];
    const body = JSON.parse(text) as unknown;
    const wrong = fault({ url, headers, text, body }, this.secret, Date.now());
    if (wrong !== null) return [this.kind === 'slack' || this.kind === 'webhook' ? 400 : 200, wrong];
    this.heard.push({ text: read(body), body });
    return [200, taken];
  }
}
