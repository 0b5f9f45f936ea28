import { createHmac, randomUUID } from 'node:crypto';
import type { Api, ApiAnswer, Buyer } from '../support/api.js';
import { requestText, sendRaw, type RawOptions } from '../support/raw-http.js';

/** The platform that the cases are sent to: one open sale, one buyer with an unpaid order and one with a paid one. */
export interface World {
  api: Api;
  saleId: string;
  otherSaleId: string;
  /** Items of the sale: plenty, and limited to one per account. */
  itemIds: readonly [string, string];
  otherItemId: string;
  skuId: string;
  buyer: Buyer;
  entryToken: string;
  /** The buyer's own order, unpaid. */
  orderId: string;
  /** Somebody else's, paid. */
  paid: { buyer: Buyer; orderId: string };
  webhookSecret: string;
}

/** An answer as the checks see it; `status` 0: the connection was closed without one. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** One row of the report. `n` is the number in the catalogue of bad input (1 to 120). */
export interface BadCase {
  n: number;
  sent: string;
  /** What a client must get: these statuses and, where one is named, these problem codes. */
  status: number | readonly number[];
  code?: string | readonly string[];
  go: (world: World) => Promise<Answer>;
  /** More that must be true, of the answer or of the world. */
  also?: (answer: Answer, world: World) => void | Promise<void>;
  /** A request that is allowed to sell: it shows that repetition sells no more than once. */
  sells?: true;
}

/** A case of the catalogue that this contract answers in another way, with the reason. */
export interface NotHere {
  n: number;
  why: string;
}

export const toAnswer = (answer: ApiAnswer): Answer => ({
  status: answer.status,
  headers: Object.fromEntries(answer.headers),
  text: typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body),
});

/** A reservation that would be accepted, but for what a case changes. A body given as text or bytes is sent as it is. */
export async function reserve(world: World, changes: { body?: unknown; headers?: Record<string, string>; key?: string | null; token?: string; saleId?: string } = {}): Promise<Answer> {
  const { body = reservation(world), headers = {}, key = randomUUID(), token = world.buyer.token, saleId = world.saleId } = changes;
  const response = await fetch(new URL(`/v1/sales/${saleId}/reservations`, world.api.run.gatewayUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...(key === null ? {} : { 'idempotency-key': key }), ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
  });
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
}

export const reservation = (world: World, item: Record<string, unknown> = {}, more: Record<string, unknown> = {}): Record<string, unknown> =>
  ({ entryToken: world.entryToken, items: [{ itemId: world.itemIds[0], quantity: 1, ...item }], ...more });

/** The same reservation as bytes on a connection, with its headers changed and its body replaced. */
export function reserveRaw(world: World, { headers = {}, body = JSON.stringify(reservation(world)), path, options }: { headers?: Record<string, string>; body?: string; path?: string; options?: RawOptions } = {}): Promise<Answer> {
  const origin = world.api.run.gatewayUrl;
  const given: Record<string, string> = { authorization: `Bearer ${world.buyer.token}`, 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers };
  const length: Record<string, string> = 'content-length' in given || 'transfer-encoding' in given ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return sendRaw(origin, requestText(origin, 'POST', path ?? `/v1/sales/${world.saleId}/reservations`, { ...given, ...length }, body), options);
}

export const get = async (world: World, path: string, token?: string, headers: Record<string, string> = {}): Promise<Answer> =>
  toAnswer(await world.api.call('GET', path, { ...(token ? { token } : {}), headers }));

export const send = async (world: World, method: string, path: string, options: Parameters<Api['call']>[2] = {}): Promise<Answer> =>
  toAnswer(await world.api.call(method, path, options));

export const admin = async (world: World, role: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  toAnswer(await world.api.admin(role, method, path, body));

export const base64url = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token with any head, claims and signature. */
export function craftToken(world: World, { head = {}, claims = {}, secret = world.api.run.jwtSecret, signature }: { head?: Record<string, unknown>; claims?: Record<string, unknown>; secret?: string; signature?: string }): string {
  const text = `${base64url({ alg: 'HS256', typ: 'JWT', ...head })}.${base64url({ sub: 'b-crafted', roles: ['buyer'], exp: Math.floor(Date.now() / 1000) + 600, ...claims })}`;
  return `${text}.${signature ?? createHmac('sha256', secret).update(text).digest('base64url')}`;
}
