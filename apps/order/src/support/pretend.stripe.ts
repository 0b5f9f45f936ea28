import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Stripe } from 'stripe';

export const stripeKey = 'sk_test_of_the_tests';
export const stripeWebhookSecret = 'whsec_of_the_tests';

type Params = Record<string, any>;
type StripeObject = Record<string, any> & { id: string; created: number };
interface Reply { status: number; body: object }

/** Stripe's API over HTTP for the part of it that is used: form bodies, bearer key, errors, pages, `expand`, idempotency keys as documented. */
export class PretendStripe {
  private readonly server = createServer((request, response) => void this.handle(request, response));
  readonly sessions = new Map<string, StripeObject>();
  readonly intents = new Map<string, StripeObject>();
  readonly charges = new Map<string, StripeObject>();
  readonly refunds = new Map<string, StripeObject>();
  private readonly answered = new Map<string, { request: string; reply: Reply }>();
  /** `METHOD path idempotency-key` of each request, in order. */
  readonly requests: string[] = [];
  /** What to do with requests: `lose` acts and breaks the connection, `break` only breaks it, `fail` answers 500. */
  trouble: 'none' | 'lose' | 'break' | 'fail' = 'none';
  private serial = 0;

  /** @returns the origin of its API */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => { this.server.listen(0, '127.0.0.1', resolve); });
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }

  /** The session of a payment of ours. */
  sessionOf(paymentId: string): StripeObject {
    const session = [...this.sessions.values()].find((one) => one['client_reference_id'] === paymentId);
    if (!session) throw new Error(`stripe has no session of ${paymentId}`);
    return session;
  }

  /** The buyer completes the session's page. `processing`: the money is on its way. */
  pay(session: StripeObject, how: 'paid' | 'processing' | 'failed' = 'paid'): void {
    const intent = this.intents.get(String(session['payment_intent'])) ?? this.newIntent(session);
    session['status'] = 'complete';
    session['url'] = null;
    session['payment_status'] = how === 'paid' ? 'paid' : 'unpaid';
    intent['status'] = { paid: 'succeeded', processing: 'processing', failed: 'requires_payment_method' }[how];
    if (how !== 'paid') return;
    intent['amount_received'] = intent['amount'];
    const charge = this.keep(this.charges, 'ch', 'charge', {
      amount: intent['amount'], amount_captured: intent['amount'], amount_refunded: 0, captured: true, currency: intent['currency'], metadata: intent['metadata'],
      paid: true, payment_intent: intent.id, refunded: false, status: 'succeeded', disputed: false,
    });
    intent['latest_charge'] = charge.id;
  }

  /** An event as Stripe's webhook would send it: the bytes, and the header signed by Stripe's own library. */
  event(type: string, object: object, { secret = stripeWebhookSecret, atSeconds = Math.floor(Date.now() / 1000) } = {}): { body: Buffer; headers: Record<string, string>; id: string } {
    const id = this.id('evt');
    const payload = JSON.stringify({ id, object: 'event', api_version: '2026-10-28.endive', created: atSeconds, livemode: false, pending_webhooks: 1, type, data: { object } }, null, 2);
    const header = new Stripe(stripeKey).webhooks.generateTestHeaderString({ payload, secret, timestamp: atSeconds });
    return { id, body: Buffer.from(payload), headers: { 'stripe-signature': header, 'content-type': 'application/json; charset=utf-8' } };
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const url = new URL(request.url ?? '/', 'http://stripe');
    const key = request.headers['idempotency-key'];
    this.requests.push(`${request.method} ${url.pathname}${key === undefined ? '' : ` ${String(key)}`}`);
    if (this.trouble === 'break') return void request.socket.destroy();
    const reply = this.trouble === 'fail' ? errorReply(500, 'api_error') : this.once(request, url, body);
    if (this.trouble === 'lose') return void request.socket.destroy();
    response.writeHead(reply.status, { 'content-type': 'application/json', 'request-id': this.id('req') }).end(JSON.stringify(reply.body));
  }

  /** A key seen before gets the first answer, whatever it was; with another request it is an error. */
  private once(request: IncomingMessage, url: URL, body: string): Reply {
    if (request.headers.authorization !== `Bearer ${stripeKey}`) return errorReply(401, 'invalid_request_error');
    if (request.method === 'GET') return this.get(url, decode(url.searchParams));
    const key = request.headers['idempotency-key'];
    const sent = `${url.pathname} ${body}`;
    const known = key === undefined ? undefined : this.answered.get(String(key));
    if (known) return known.request === sent ? known.reply : errorReply(400, 'idempotency_error');
    const reply = this.post(url.pathname, decode(new URLSearchParams(body)));
    if (key !== undefined) this.answered.set(String(key), { request: sent, reply });
    return reply;
  }

  private get(url: URL, query: Params): Reply {
    const expand: string[] = Object.values(query['expand'] ?? {});
    const [, , first = '', ...rest] = url.pathname.split('/');
    const [kind = '', id] = first === 'checkout' ? [rest[0], rest[1]] : [first, rest[0]];
    const store = { sessions: this.sessions, payment_intents: this.intents, charges: this.charges, refunds: this.refunds }[kind];
    if (!store) return errorReply(404, 'invalid_request_error', 'resource_missing');
    if (id !== undefined) {
      const found = store.get(id);
      return found ? { status: 200, body: this.expanded(found, expand) } : errorReply(404, 'invalid_request_error', 'resource_missing');
    }
    // Newest first, after `starting_after`, `limit` of them.
    const { gte = 0, lt = Infinity } = query['created'] ?? {};
    const all = [...store.values()].reverse().filter(({ created }) => created >= Number(gte) && created < Number(lt));
    const from = query['starting_after'] === undefined ? 0 : all.findIndex((one) => one.id === query['starting_after']) + 1;
    const limit = Number(query['limit'] ?? 10);
    if (limit > 100) return errorReply(400, 'invalid_request_error', 'parameter_invalid_integer');
    const data = all.slice(from, from + limit).map((one) => this.expanded(one, expand.map((path) => path.replace(/^data\./, ''))));
    return { status: 200, body: { object: 'list', url: url.pathname, has_more: from + limit < all.length, data } };
  }

  private post(path: string, params: Params): Reply {
    if (path === '/v1/checkout/sessions') return this.create(params);
    const expired = /^\/v1\/checkout\/sessions\/([^/]+)\/expire$/.exec(path)?.[1];
    if (expired !== undefined) {
      const session = this.sessions.get(expired);
      if (!session) return errorReply(404, 'invalid_request_error', 'resource_missing');
      if (session['status'] !== 'open') return errorReply(400, 'invalid_request_error');
      Object.assign(session, { status: 'expired', url: null });
      return { status: 200, body: session };
    }
    return path === '/v1/refunds' ? this.refund(params) : errorReply(404, 'invalid_request_error');
  }

  private create(params: Params): Reply {
    const price = params['line_items']?.['0']?.price_data;
    const amount = Number(price?.unit_amount);
    if (params['mode'] !== 'payment' || !/^[a-z]{3}$/.test(String(price?.currency)) || !Number.isInteger(amount) || !/^https?:/.test(String(params['success_url']))) return errorReply(400, 'invalid_request_error', 'parameter_invalid');
    // Stripe's least amounts differ by currency; one of them is enough to meet the refusal.
    if (price.currency === 'gbp' && amount < 30) return errorReply(400, 'invalid_request_error', 'amount_too_small');
    const id = this.id('cs_test');
    const session = this.keep(this.sessions, id, 'checkout.session', {
      amount_total: amount, client_reference_id: params['client_reference_id'] ?? null, currency: price.currency, metadata: params['metadata'] ?? {}, mode: 'payment',
      payment_intent: null, payment_status: 'unpaid', status: 'open', success_url: params['success_url'], url: `https://checkout.stripe.example/c/pay/${id}`,
      intent_metadata: params['payment_intent_data']?.metadata ?? {},
    });
    return { status: 200, body: session };
  }

  private refund(params: Params): Reply {
    const intent = this.intents.get(String(params['payment_intent']));
    const charge = this.charges.get(String(intent?.['latest_charge']));
    if (!intent || !charge) return errorReply(404, 'invalid_request_error', 'resource_missing');
    if (charge['refunded']) return errorReply(400, 'invalid_request_error', 'charge_already_refunded');
    const amount = Number(params['amount'] ?? charge['amount_captured'] - charge['amount_refunded']);
    charge['amount_refunded'] += amount;
    charge['refunded'] = charge['amount_refunded'] === charge['amount_captured'];
    const refund = this.keep(this.refunds, 're', 'refund', {
      amount, charge: charge.id, currency: charge['currency'], metadata: params['metadata'] ?? {}, payment_intent: intent.id, status: 'succeeded',
    });
    return { status: 200, body: refund };
  }

  private newIntent(session: StripeObject): StripeObject {
    const intent = this.keep(this.intents, 'pi', 'payment_intent', {
      amount: session['amount_total'], amount_received: 0, currency: session['currency'], metadata: session['intent_metadata'], latest_charge: null, status: 'requires_payment_method',
    });
    session['payment_intent'] = intent.id;
    return intent;
  }

  private keep(store: Map<string, StripeObject>, prefixOrId: string, object: string, fields: Params): StripeObject {
    const id = prefixOrId.includes('_') && /\d$/.test(prefixOrId) ? prefixOrId : this.id(prefixOrId);
    const made = { ...fields, id, object, created: Math.floor(Date.now() / 1000), livemode: false };
    store.set(id, made);
    return made;
  }

  private expanded(object: StripeObject, paths: readonly string[]): StripeObject {
    const copy = { ...object };
    for (const path of paths) {
      const [field = '', ...rest] = path.split('.');
      const id = copy[field];
      const found = typeof id === 'string' ? (this.intents.get(id) ?? this.charges.get(id) ?? this.refunds.get(id)) : null;
      if (found) copy[field] = this.expanded(found, rest.length > 0 ? [rest.join('.')] : []);
    }
    return copy;
  }

  private id(prefix: string): string {
    return `${prefix}_${String(++this.serial).padStart(14, '0')}`;
  }
}

const errorReply = (status: number, type: string, code?: string): Reply => ({ status, body: { error: { type, code, message: 'refused by the stand-in' } } });

/** `a[b][0]=c` as nested objects, which is how Stripe writes structure in a form. */
function decode(form: URLSearchParams): Params {
  const result: Params = {};
  for (const [name, value] of form) {
    const path = name.split(/\[|\]\[|\]/).filter((part) => part !== '');
    let at = result;
    path.slice(0, -1).forEach((part) => { at = at[part] ??= {}; });
    at[path.at(-1)!] = value;
  }
  return result;
}
