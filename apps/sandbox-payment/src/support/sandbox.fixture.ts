import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AppProcess, CallbackReceiver, freePort } from '@floodgate/platform/testing';

export const apiKey = 'the key that the shop has';
export const secret = 'the secret of the callbacks';

export interface Notice {
  id: string;
  type: string;
  paymentId: string;
  orderId: string;
  amount: { amount: number; currency: string };
}

/** The provider as a process of its own, and the shop that it calls back. */
export class SandboxFixture {
  private constructor(readonly provider: AppProcess, readonly shop: CallbackReceiver, readonly url: string, private readonly callbackUrl: string, private readonly folder: string) {}

  static async start(env: Record<string, string> = {}): Promise<SandboxFixture> {
    const folder = await mkdtemp(path.join(tmpdir(), 'sandbox-book-'));
    const shop = new CallbackReceiver();
    const callbackUrl = await shop.start();
    const port = await freePort();
    const provider = await AppProcess.start('sandbox-payment', {
      PORT: String(port), BOOK_FILE: path.join(folder, 'book.db'), SANDBOX_API_KEY: apiKey, SANDBOX_WEBHOOK_SECRET: secret, ...env,
    });
    return new SandboxFixture(provider, shop, `http://127.0.0.1:${port}`, callbackUrl, folder);
  }

  /** Throws where the connection breaks, or after `timeoutMs` without an answer. */
  async call(method: string, where: string, body?: unknown, { key = apiKey, timeoutMs = 20_000 } = {}): Promise<{ status: number; body: any }> {
    const answer = await fetch(new URL(where, this.url), {
      method, headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      signal: AbortSignal.timeout(timeoutMs), ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  payment(changes: Record<string, unknown> = {}) {
    return {
      paymentId: randomUUID(), orderId: `Sale1.${randomUUID()}`, amount: { amount: 250, currency: 'GBP' }, callbackUrl: this.callbackUrl,
      expiresAt: new Date(Date.now() + 600_000).toISOString(), ...changes,
    };
  }

  async open(changes: Record<string, unknown> = {}): Promise<any> {
    return (await this.call('POST', '/v1/payments', this.payment(changes))).body;
  }

  /** A payment that the buyer has paid. */
  async captured(): Promise<any> {
    const payment = await this.open();
    await this.call('POST', payment.redirectUrl, { outcome: 'capture' });
    return payment;
  }

  async read(paymentId: string): Promise<any> {
    return (await this.call('GET', `/v1/payments/${paymentId}`)).body;
  }

  /** Sets the switches. */
  async misbehave(settings: object): Promise<void> {
    const answer = await this.call('PUT', '/v1/misbehaviour', settings);
    if (answer.status !== 200) throw new Error(`the switches were refused: ${JSON.stringify(answer.body)}`);
  }

  noticesOf(paymentId: string): Notice[] {
    return this.shop.bodies<Notice>().filter((notice) => notice.paymentId === paymentId);
  }

  typesOf(paymentId: string): string[] {
    return this.noticesOf(paymentId).map((notice) => notice.type);
  }

  async stop(): Promise<void> {
    await this.provider.stop();
    await this.shop.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
