import { createHmac, randomUUID } from 'node:crypto';

/** What a test needs of a running platform (a part of `.floodgate/run.json`). */
export interface PlatformAddress {
  gatewayUrl: string;
  jwtSecret: string;
}

/** One HTTP answer with its body parsed (text if it is not JSON). */
export interface ApiAnswer<T = any> {
  status: number;
  headers: Headers;
  body: T;
}

export interface ItemInput {
  skuId: string;
  title: string;
  kind: string;
  price: { amount: number; currency: string };
  quota: number;
  perAccount?: number | null;
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An HS256 token as the platform's identity provider would sign it. */
export function signToken(secret: string, accountId: string, roles: string[], claims: Record<string, unknown> = {}): string {
  const head = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ sub: accountId, roles, exp: Math.floor(Date.now() / 1000) + 3600, ...claims })}`;
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}

/** A client of the public HTTP interface for tests: short words for what merchants, operators and buyers do. */
export class Api {
  readonly run: PlatformAddress;
  constructor(run: PlatformAddress) {
    this.run = run;
  }

  async call<T = any>(method: string, path: string, options: { token?: string; body?: unknown; key?: string; headers?: Record<string, string> } = {}): Promise<ApiAnswer<T>> {
    const headers: Record<string, string> = { ...options.headers };
    if (options.token) headers['authorization'] = `Bearer ${options.token}`;
    if (options.key !== undefined) headers['idempotency-key'] = options.key;
    if (options.body !== undefined) headers['content-type'] ??= 'application/json';
    const body = options.body === undefined ? undefined : typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
    const response = await fetch(new URL(path, this.run.gatewayUrl), { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (json ? JSON.parse(text) : text) as T };
  }

  as(accountId: string, ...roles: string[]): string {
    return signToken(this.run.jwtSecret, accountId, roles);
  }

  buyer(name: string = randomUUID()): Buyer {
    return new Buyer(this, name);
  }

  /** A sale as a merchant would write it: open now, for ten minutes. */
  saleInput(items: Partial<ItemInput>[], changes: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      title: 'Test sale', merchantId: 'm-test', mode: 'race', opensAt: new Date(Date.now() - 1000).toISOString(), closesAt: new Date(Date.now() + 600_000).toISOString(),
      paymentWindowSeconds: 600, limits: {}, challenge: 'none',
      items: items.map((item, i) => ({ skuId: `sku-${randomUUID()}`, title: `Item ${i + 1}`, kind: 'goods', price: { amount: 250, currency: 'GBP' }, quota: 10, ...item })),
      ...changes,
    };
  }

  async admin<T = any>(role: string, method: string, path: string, body?: unknown): Promise<ApiAnswer<T>> {
    const account = { merchant: 'm-test', approver: 'a-test', operator: 'o-test', auditor: 'u-test' }[role] ?? role;
    return this.call<T>(method, `/v1/admin${path}`, { token: this.as(account, role), ...(body === undefined ? {} : { body }) });
  }

  /** Creates, submits and approves a sale, and waits until it is armed. */
  async armedSale(items: Partial<ItemInput>[], changes: Record<string, unknown> = {}): Promise<{ id: string; items: { id: string; skuId: string }[] }> {
    const draft = expectStatus(201, await this.admin('merchant', 'POST', '/sales', this.saleInput(items, changes)));
    expectStatus(200, await this.admin('merchant', 'POST', `/sales/${draft.id}/submit`));
    expectStatus(200, await this.admin('approver', 'POST', `/sales/${draft.id}/approve`));
    const deadline = Date.now() + 60_000;
    for (;;) {
      const sale = expectStatus(200, await this.admin('merchant', 'GET', `/sales/${draft.id}`));
      if (['ARMED', 'OPEN'].includes(sale.state)) return sale;
      if (Date.now() > deadline) throw new Error(`the sale stays ${sale.state}: ${sale.armError}`);
      await nextPoll();
    }
  }

  async audit(saleId: string): Promise<any> {
    return expectStatus(200, await this.admin('auditor', 'GET', `/sales/${saleId}/audit`));
  }
}

/** One account that buys. */
export class Buyer {
  readonly api: Api;
  readonly accountId: string;
  readonly token: string;
  constructor(api: Api, accountId: string) {
    this.api = api;
    this.accountId = accountId;
    this.token = api.as(accountId, 'buyer');
  }

  async entryToken(saleId: string): Promise<string> {
    return expectStatus(200, await this.api.call('POST', `/v1/sales/${saleId}/entry-token`, { token: this.token })).token;
  }

  async reserve(saleId: string, items: { itemId: string; quantity: number }[], options: { key?: string; entryToken?: string } = {}): Promise<ApiAnswer> {
    const entryToken = options.entryToken ?? (await this.entryToken(saleId));
    return this.api.call('POST', `/v1/sales/${saleId}/reservations`, { token: this.token, key: options.key ?? randomUUID(), body: { entryToken, items } });
  }

  reservation(id: string): Promise<ApiAnswer> {
    return this.api.call('GET', `/v1/reservations/${id}`, { token: this.token });
  }

  /** Polls until the reservation is in one of these states. */
  async until(id: string, states: string[], timeoutMs = 20_000): Promise<any> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const answer = await this.reservation(id);
      if (answer.status === 200 && states.includes(answer.body.state)) return answer.body;
      if (Date.now() > deadline) throw new Error(`reservation ${id} is ${answer.body.state ?? answer.status}, not ${states.join(' or ')}`);
      await nextPoll();
    }
  }

  startPayment(id: string, key: string = randomUUID()): Promise<ApiAnswer> {
    return this.api.call('POST', `/v1/orders/${id}/payments`, { token: this.token, key, body: { provider: 'sandbox' } });
  }

  async settle(redirectUrl: string, body: Record<string, unknown>): Promise<number> {
    const response = await fetch(redirectUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    await response.arrayBuffer();
    return response.status;
  }

  /** Pays an ordered reservation and waits until it is paid. */
  async pay(id: string): Promise<any> {
    const payment = expectStatus(201, await this.startPayment(id));
    if ((await this.settle(payment.redirectUrl, { outcome: 'capture' })) !== 202) throw new Error('the provider refused the capture');
    return this.until(id, ['PAID']);
  }

  cancel(id: string, key: string = randomUUID()): Promise<ApiAnswer> {
    return this.api.call('POST', `/v1/orders/${id}/cancel`, { token: this.token, key });
  }
}

/** The body of an answer, or an error that shows what came instead. */
export function expectStatus<T>(status: number, answer: ApiAnswer<T>): T {
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body).slice(0, 600)}`);
  return answer.body;
}

/** The gap between two polls of a helper that has its own deadline. */
export const nextPoll = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40));
