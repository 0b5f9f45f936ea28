import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What may go wrong, as shares of the reservation requests (0 to 1). The lies are what a checker has to find. */
export interface Trouble {
  loseAnswers?: number;
  outcomeUnknown?: number;
  unavailable?: number;
  lie?: 'oversell' | 'forget-key' | 'take-back' | 'deny-sold-out';
  /** How long the buyer of this key may pay, in milliseconds; else as the sale says. */
  windowMsOf?: (key: string) => number;
}

interface Row {
  rid: string;
  buyer: string;
  items: { itemId: string; quantity: number }[];
  number: number;
  state: 'ORDERED' | 'PAID' | 'RELEASED';
  reason: string | null;
  payByMs: number;
  version: number;
}
interface Item { id: string; skuId: string; price: { amount: number; currency: string }; quota: number; perAccount: number; sold: number; held: number }
interface Caller { account: string; key: string; body: any }
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
    const sent = await text(request);
    const payload = request.headers.authorization?.split('.')[1];
    const account = payload === undefined ? '' : (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub;
    const call = `${request.method} ${request.url?.split('?')[0]}`;
    const [status, body] = this.answer(call, { account, key: String(request.headers['idempotency-key']), body: sent === '' ? {} : JSON.parse(sent) }, request);
    if (status === 0) return void request.socket.destroy();
    if (call.endsWith('/events') && status === 200) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void response.end(`: hello\n\nid: ${(body as { version: number }).version}\nevent: reservation\ndata: ${JSON.stringify(body)}\n\n`);
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  private answer(call: string, caller: Caller, request: IncomingMessage): Reply {
    this.expire();
    const rid = /S\.\w+/.exec(call)?.[0] ?? '';
    if (call === 'GET /v1/time') return [200, { now: new Date().toISOString() }];
    if (call === 'POST /v1/dev/login') return [404, {}];
    if (call === 'POST /v1/admin/sales') return this.create(caller.body);
    if (/\/(submit|approve)$/.test(call) || call === 'GET /v1/admin/sales/S') return [200, { ...this.sale, state: 'ARMED' }];
    if (call.endsWith('/entry-token')) return [200, { token: 'entry' }];
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
    this.items = input.items.map((item: Item, index: number) => ({ ...item, id: `S-${index + 1}`, sold: 0, held: 0 }));
    this.sale = { ...input, id: 'S', items: this.items };
    return [201, this.sale];
  }

  private reserve({ account, key, body }: Caller): Reply {
    const { loseAnswers = 0, outcomeUnknown = 0, unavailable = 0 } = this.trouble;
    const dice = (this.requests++ * 0.6180339887) % 1; // spreads evenly, and is the same in each run
    if (dice < unavailable) return [503, { code: 'UNAVAILABLE', retryAfterMs: 20 }];
    const reply = this.judge(account, key, body.items);
    if (dice < unavailable + loseAnswers) return [0, {}];
    if (dice < unavailable + loseAnswers + outcomeUnknown) return [503, { code: 'OUTCOME_UNKNOWN', retryAfterMs: 20, reservationId: this.ridOf(account, key) }];
    return reply;
  }

  private judge(account: string, key: string, asked: Row['items']): Reply {
    const known = this.byKey.get(`${account}|${key}`);
    if (known && this.trouble.lie !== 'forget-key') return [202, { reservationId: known.rid, number: known.number }];
    for (const { itemId, quantity } of asked) {
      const item = this.items.find((one) => one.id === itemId)!;
      const remaining = item.quota - item.sold - item.held;
      if (this.trouble.lie === 'deny-sold-out' && this.rows.size > 3) return [409, { code: 'SOLD_OUT', itemId, remaining: quantity }];
      if (remaining < quantity && this.trouble.lie !== 'oversell') return [409, { code: 'SOLD_OUT', itemId, remaining }];
    }
    const row: Row = {
      rid: known ? `${known.rid}x${this.rows.size}` : this.ridOf(account, key), buyer: account, items: asked, number: this.rows.size + 1,
      state: 'ORDERED', reason: null, payByMs: Date.now() + (this.trouble.windowMsOf?.(key) ?? this.sale.paymentWindowSeconds * 1000), version: 1,
    };
    this.rows.set(row.rid, row);
    this.byKey.set(`${account}|${key}`, row);
    this.count(row, 'held', 1);
    if (this.trouble.lie === 'take-back' && row.number === 2) this.release(row.rid, 'order-rejected');
    return [202, { reservationId: row.rid, number: row.number }];
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
