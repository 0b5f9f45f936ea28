import { idSchema } from '@floodgate/contracts';
import { Pool } from 'undici';
import { z } from 'zod';
import { signatureIsGood } from './notice-signature.js';
import {
  moneyOf, PaymentProvider, ProviderUnavailableError, providerStates, type MovedMoney, type NoticeReading, type PaymentOrder, type ProviderPayment, type Span,
} from './payment-provider.js';

export interface SandboxSettings {
  /** Origin of the provider's API. */
  url: string;
  apiKey: string;
  /** Of its notices' signatures; two while the secret is changed. */
  webhookSecrets: readonly string[];
  /** Where the provider sends its notices: the gateway. */
  callbackUrl: string;
}

/** A buyer waits behind these calls, and the gateway gives up on us after some seconds: better a clear "not now" before that. */
const answerTimeoutMs = 2_000;

/** The last moment that RFC 3339 can write. */
const timeMaxMs = Date.UTC(9999, 11, 31);

const moneySchema = z.strictObject({ amount: z.int().min(0), currency: z.string().regex(/^[A-Z]{3}$/) });
const paymentSchema = z.object({ paymentId: idSchema, orderId: idSchema, state: z.enum(providerStates), amount: moneySchema, redirectUrl: z.url() });
const pageSchema = z.object({ items: z.array(paymentSchema), nextCursor: z.string().nullable() });
const noticeSchema = z.strictObject({
  id: idSchema,
  // Postgres cannot keep every character of JSON; a type that it could not keep would be repeated for ever.
  type: z.string().regex(/^[ -~]{1,64}$/),
  paymentId: idSchema,
  orderId: idSchema,
  amount: moneySchema,
  occurredAt: z.iso.datetime(),
});

/** The sandbox provider over HTTP. */
export class SandboxProvider extends PaymentProvider {
  readonly name = 'sandbox';
  private readonly pool: Pool;

  constructor(private readonly settings: SandboxSettings) {
    super();
    this.pool = new Pool(new URL(settings.url).origin, {
      connections: 32, connect: { timeout: 1_000 }, headersTimeout: answerTimeoutMs, bodyTimeout: answerTimeoutMs, keepAliveTimeout: 10_000,
    });
  }

  override async open(payment: PaymentOrder): Promise<{ redirectUrl: string }> {
    const { paymentId, orderId, amount, returnUrl, expiresAtMs } = payment;
    const { callbackUrl } = this.settings;
    const body = { paymentId, orderId, amount, returnUrl, callbackUrl, expiresAt: new Date(expiresAtMs).toISOString() };
    return this.payment(await this.call('POST', '/v1/payments', body));
  }

  override async read(paymentId: string): Promise<ProviderPayment | null> {
    const answer = await this.call('GET', `/v1/payments/${paymentId}`);
    return answer.status === 404 ? null : this.payment(answer);
  }

  override async close(payment: PaymentOrder): Promise<ProviderPayment> {
    const path = `/v1/payments/${payment.paymentId}/close`;
    const answer = await this.call('POST', path);
    if (answer.status !== 404) return this.payment(answer);
    // Nobody comes back from a payment that is opened to be closed, so what its return address is cannot matter.
    await this.open({ ...payment, returnUrl: null });
    return this.payment(await this.call('POST', path));
  }

  override async refund(paymentId: string, refundId: string): Promise<ProviderPayment> {
    return this.payment(await this.call('POST', `/v1/payments/${paymentId}/refund`, { refundId }));
  }

  override async *book(orderPrefix: string): AsyncIterable<ProviderPayment> {
    yield* this.pages({ orderPrefix });
  }

  override async *moved({ fromMs, untilMs }: Span): AsyncIterable<MovedMoney> {
    const time = (ms: number) => new Date(Math.min(Math.max(ms, 0), timeMaxMs)).toISOString();
    for await (const payment of this.pages({ movedFrom: time(fromMs), movedUntil: time(untilMs) })) yield moneyOf(payment);
  }

  override readNotice(headers: Record<string, string>, body: Buffer): NoticeReading {
    if (!signatureIsGood(this.settings.webhookSecrets, headers['x-signature'], body, Date.now())) return 'bad-signature';
    const parsed = noticeSchema.safeParse(parseJson(body));
    return parsed.success ? parsed.data : 'malformed';
  }

  override async disconnect(): Promise<void> {
    await this.pool.close();
  }

  private async *pages(filter: Record<string, string>): AsyncIterable<ProviderPayment> {
    for (let cursor: string | null = ''; cursor !== null;) {
      const query = new URLSearchParams({ ...filter, ...(cursor === '' ? {} : { cursor }) });
      const page: z.infer<typeof pageSchema> = this.checked(pageSchema, await this.call('GET', `/v1/book?${query.toString()}`));
      yield* page.items;
      cursor = page.nextCursor;
    }
  }

  private payment(answer: Answer): z.infer<typeof paymentSchema> {
    return this.checked(paymentSchema, answer);
  }

  private checked<T>(schema: z.ZodType<T>, answer: Answer): T {
    const parsed = schema.safeParse(answer.body);
    const good = answer.status === 200 || answer.status === 201;
    if (good && parsed.success) return parsed.data;
    throw new ProviderUnavailableError(`the sandbox provider answered ${answer.status}${good ? ' with a body that is not its contract\'s' : ''}`);
  }

  /** Asks once more at once where the connection broke: a kept-alive one may belong to a provider that was restarted since. */
  private async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    try {
      return await this.callOnce(method, path, body);
    } catch (error) {
      if (!brokenConnection(error)) throw unavailable(error);
      return this.callOnce(method, path, body).catch((again: unknown) => {
        throw unavailable(again);
      });
    }
  }

  private async callOnce(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    const answer = await this.pool.request({
      method,
      path,
      headers: { authorization: `Bearer ${this.settings.apiKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: parseJson(Buffer.from(text)) };
  }
}

interface Answer {
  status: number;
  body: unknown;
}

const brokenConnection = (error: unknown): boolean => error instanceof Error && 'code' in error && ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(String(error.code));

const unavailable = (error: unknown): ProviderUnavailableError =>
  new ProviderUnavailableError(`the sandbox provider cannot be reached: ${error instanceof Error ? error.message : String(error)}`, { cause: error });

/** Undefined for what is no JSON in UTF-8. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined; // Every schema refuses it, which is the answer that the caller needs.
  }
}
