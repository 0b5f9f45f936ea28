import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';

import { createChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';

/** What may go wrong, as shares of the reservation requests (0 to 1). The lies are what a checker has to find. */
export interface Trouble {
  loseAnswers?: number;
  outcomeUnknown?: number;
  unavailable?: number;
  /** `open-door`: no puzzle need be solved. `wide-network`: units are not counted by address. */
  lie?: 'oversell' | 'forget-key' | 'take-back' | 'deny-sold-out' | 'open-door' | 'wide-network';
  /** How long the buyer of this key may pay, in milliseconds; else as the sale says. */
  windowMsOf?: (key: string) => number;
}

interface Row {
  rid: string;
  buyer: string;
  network: string;
  items: { itemId: string; quantity: number }[];
  number: number;
  state: 'ORDERED' | 'PAID' | 'RELEASED';
  reason: string | null;
  payByMs: number;
  version: number;
}
interface Item { id: string; skuId: string; price: { amount: number; currency: string }; quota: number; perAccount: number; sold: number; held: number }
interface Caller { account: string; network: string; key: string; body: any }
type Reply = [status: number, body: object];

/**
 * The HTTP face of a platform that keeps one sale in memory, for tests of those who call it: it can lose answers, and it can lie.
 * No stand-in for the real one in a test of the platform.
 */
export class PretendPlatform {
  private readonly server = createServer((request, response) => void this.handle(request, response));
  private readonly rows = new Map<string, Row>();
  private readonly byKey = new Map<string, Row>();
  private items: Item[] = [];
  private sale: any = {};
  /** Switches that were set, in order. */
  readonly switched: [name: string, value: unknown][] = [];
  private readonly puzzles = new Map<string, string>();
  private captured = 0;
  private requests = 0;

  constructor(private readonly trouble: Trouble = {}) {}

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = await textOf(request);
    const call = `${request.method} ${request.url?.split('?')[0]}`;
    const account = accountOf(request.headers.authorization);
    const caller = { account: account ?? '', network: networkOf(request), key: String(request.headers['idempotency-key']), body: sent === '' ? {} : JSON.parse(sent) };
    const [status, body] = account === null ? [401, { code: 'UNAUTHENTICATED' }] : call.endsWith('/challenge') ? [200, { puzzle: await this.puzzleFor(account) }] : this.answer(call, caller, request);
    if (status === 0) return void request.socket.destroy();
    if (call.endsWith('/events') && status === 200) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void response.end(`: hello\n\nid: ${(body as { version: number }).version}\nevent: reservation\ndata: ${JSON.stringify(body)}\n\n`);
    }
    const text = JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
  }

  private answer(call: string, caller: Caller, request: IncomingMessage): Reply {
    this.expire();
    const rid = /S\.\w+/.exec(call)?.[0] ?? '';
    if (call === 'GET /v1/time') return [200, { now: new Date().toISOString() }];
    if (call === 'POST /v1/dev/login') return [404, {}];
    if (call === 'POST /v1/admin/sales') return this.create(caller.body);
    if (/\/(submit|approve)$/.test(call) || call === 'GET /v1/admin/sales/S') return [200, { ...this.sale, state: 'ARMED' }];
    if (call.includes('/switches/')) return this.switch(call, caller);
    if (call.endsWith('/entry-token')) return this.enter(caller);
    if (call.endsWith('/reservations')) return this.reserve(caller);
    if (call.startsWith('GET /v1/reservations/')) return this.rows.has(rid) ? [200, this.view(this.rows.get(rid)!)] : [404, {}];
    if (call.endsWith('/payments')) return [201, { redirectUrl: `http://${request.headers.host}/checkout/${rid}` }];
    if (call.startsWith('POST /checkout/')) return this.pay(rid, caller.body.outcome);
    if (call.endsWith('/cancel')) return this.release(rid, 'cancelled-by-buyer');
    if (call.endsWith('/audit')) return [200, this.audit()];
    if (call.endsWith('/orders')) return [200, { items: [...this.rows.values()].map((row) => this.order(row)), nextCursor: null }];
    return [404, { code: 'NOT_FOUND' }];
  }

  private create(input: any): Reply {
    this.rows.clear();
    this.byKey.clear();
    this.captured = 0;
    this.items = input.items.map((item: Item, index: number) => ({ ...item, id: `S-${index + 1}`, sold: 0, held: 0 }));
    this.sale = { ...input, id: 'S', items: this.items };
    return [201, this.sale];
  }

  private switch(call: string, { body }: Caller): Reply {
    const name = call.split('/').at(-1)!;
    if (call.startsWith('PUT ')) this.switched.push([name, body.value]);
    return [200, { name, value: this.switched.findLast(([known]) => known === name)?.[1] ?? 0 }];
  }

  private async puzzleFor(account: string): Promise<object> {
    const puzzle = await createChallenge({ algorithm: 'PBKDF2/SHA-256', deriveKey, cost: 1, counter: 3, hmacSignatureSecret: 'any', hmacKeySignatureSecret: 'any' });
    this.puzzles.set(puzzle.parameters.nonce, account);
    return puzzle;
  }

  private get guarded(): boolean {
    return this.sale.challenge === 'proof-of-work';
  }

  private enter({ account, body }: Caller): Reply {
    if (Date.now() < Date.parse(this.sale.opensAt)) return [425, { code: 'SALE_NOT_OPEN' }];
    const nonce = this.guarded && body.solution ? JSON.parse(Buffer.from(body.solution, 'base64').toString()).challenge?.parameters.nonce : undefined;
    const solved = this.puzzles.get(nonce) === account && this.puzzles.delete(nonce);
    return solved || !this.guarded || this.trouble.lie === 'open-door' ? [200, { token: `entry.${account}` }] : [403, { code: 'CHALLENGE_FAILED' }];
  }

  private reserve({ account, network, key, body }: Caller): Reply {
    if (Date.now() < Date.parse(this.sale.opensAt)) return [425, { code: 'SALE_NOT_OPEN' }];
    if (body.entryToken !== `entry.${account}`) return [403, { code: 'ENTRY_TOKEN_INVALID' }];
    const { loseAnswers = 0, outcomeUnknown = 0, unavailable = 0 } = this.trouble;
    const dice = (this.requests++ * 0.6180339887) % 1; // spreads evenly, and is the same in each run
    if (dice < unavailable) return [503, { code: 'UNAVAILABLE', retryAfterMs: 20 }];
    const reply = this.judge({ account, network, key }, body.items);
    if (dice < unavailable + loseAnswers) return [0, {}];
    if (dice < unavailable + loseAnswers + outcomeUnknown) return [503, { code: 'OUTCOME_UNKNOWN', retryAfterMs: 20, reservationId: this.ridOf(account, key) }];
    return reply;
  }

  private judge({ account, network, key }: Omit<Caller, 'body'>, asked: Row['items']): Reply {
    const known = this.byKey.get(`${account}|${key}`);
    if (known && this.trouble.lie !== 'forget-key') return [202, { reservationId: known.rid, number: known.number }];
    for (const { itemId, quantity } of asked) {
      const item = this.items.find((one) => one.id === itemId)!;
      if (this.guarded && this.unitsOf('buyer', account) >= item.perAccount) return [409, { code: 'LIMIT_REACHED' }];
      if (this.guarded && this.trouble.lie !== 'wide-network' && this.unitsOf('network', network) >= this.sale.limits.perIp) return [409, { code: 'LIMIT_REACHED' }];
      const remaining = item.quota - item.sold - item.held;
      if (this.trouble.lie === 'deny-sold-out' && this.rows.size > 3) return [409, { code: 'SOLD_OUT', itemId, remaining: quantity }];
      if (remaining < quantity && this.trouble.lie !== 'oversell') return [409, { code: 'SOLD_OUT', itemId, remaining }];
    }
    const row: Row = {
      rid: known ? `${known.rid}x${this.rows.size}` : this.ridOf(account, key), buyer: account, network, items: asked, number: this.rows.size + 1,
      state: 'ORDERED', reason: null, payByMs: Date.now() + (this.trouble.windowMsOf?.(key) ?? this.sale.paymentWindowSeconds * 1000), version: 1,
    };
    this.rows.set(row.rid, row);
    this.byKey.set(`${account}|${key}`, row);
    this.count(row, 'held', 1);
    if (this.trouble.lie === 'take-back' && row.number === 2) this.release(row.rid, 'order-rejected');
    return [202, { reservationId: row.rid, number: row.number }];
  }

  private unitsOf(field: 'buyer' | 'network', value: string): number {
    return [...this.rows.values()].filter((row) => row[field] === value && row.state !== 'RELEASED').length;
  }

  private ridOf(account: string, key: string): string {
    return `S.${Buffer.from(`${account}|${key}`).toString('hex')}`;
  }

  private pay(rid: string, outcome: string): Reply {
    const row = this.rows.get(rid)!;
    if (outcome === 'decline') return this.release(rid, 'payment-declined');
    if (row.state === 'PAID') return [202, {}];
    if (row.state !== 'ORDERED') return [409, {}];
    this.count(row, 'held', -1);
    this.count(row, 'sold', 1);
    this.captured++;
    Object.assign(row, { state: 'PAID', version: 2 });
    return [202, {}];
  }

  private release(rid: string, reason: string): Reply {
    const row = this.rows.get(rid)!;
    if (row.state === 'RELEASED' && row.reason === reason) return [202, {}];
    if (row.state !== 'ORDERED') return [409, { code: 'INVALID_TRANSITION' }];
    this.count(row, 'held', -1);
    Object.assign(row, { state: 'RELEASED', reason, version: 2 });
    return [202, {}];
  }

  private expire(): void {
    for (const row of this.rows.values()) if (row.state === 'ORDERED' && Date.now() > row.payByMs) this.release(row.rid, 'payment-timeout');
  }

  private count(row: Row, field: 'sold' | 'held', sign: 1 | -1): void {
    for (const { itemId, quantity } of row.items) this.items.find((item) => item.id === itemId)![field] += sign * quantity;
  }

  private view({ rid, items, state, reason, payByMs, version, number }: Row): { version: number } {
    const terminal = state !== 'ORDERED';
    return { version, ...{ id: rid, items, state, reason, terminal, number, payBy: new Date(payByMs).toISOString(), pollAfterMs: 200 } };
  }

  private order({ rid, items, state, reason }: Row): object {
    const amount = items.reduce((sum, item) => sum + item.quantity * this.items.find((one) => one.id === item.itemId)!.price.amount, 0);
    return { id: rid, reservationId: rid, items, state, reason, amount: { amount, currency: 'GBP' } };
  }

  /** Says "clean" whatever is the case: who trusts it alone finds nothing. */
  private audit(): object {
    const items = this.items.map(({ id, quota, sold, held }) => ({ itemId: id, quota, available: quota - sold - held, held, sold, burned: 0, redisAvailable: quota - sold - held }));
    return { verdict: 'clean', settling: 0, oversold: 0, lost: 0, duplicated: 0, unexplained: 0, redisEqualsPostgres: true, items, payments: { captured: this.captured, refunded: 0 }, findings: [] };
  }
}

/** Who the token is for; null where its signature is not ours, '' without one. */
function accountOf(header: string | undefined): string | null {
  if (header === undefined) return '';
  const [head, payload = '', signature] = header.replace('Bearer ', '').split('.');
  if (createHmac('sha256', 'secret').update(`${head}.${payload}`).digest('base64url') !== signature) return null;
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub;
}

/** The /64 of the last hop, as far as the bots write it. */
const networkOf = (request: IncomingMessage): string => String(request.headers['x-forwarded-for']).split(', ').at(-1)!.split('::', 1)[0]!;
