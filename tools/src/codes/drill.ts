import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createRedis } from '@floodgate/platform';
import { HttpClient, type Answered, type Call } from '../scenario/http-client.js';
import { signToken } from '../scenario/sign-token.js';
import { makeCodes } from './make-codes.js';
import { sendCodes, type Gateway } from './send-codes.js';

export interface DrillPlan {
  orders: number;
  codes: number;
  /** Everything in Redis is lost once half of the orders are paid. */
  wipeRedis: boolean;
  /** What every code begins with, for whoever looks for them where none should be. */
  prefix?: string;
}

export interface DrillResult {
  saleId: string;
  orders: number;
  codes: number;
  fulfilled: number;
  outOfInventory: number;
  /** Orders that ended otherwise. */
  other: number;
  /** Codes shown to more than one buyer, and codes shown that were never imported. */
  twice: number;
  invented: number;
  payments: { captured: number; refunded: number };
  verdict: string;
  findings: string[];
}

const buyersAtOnce = 24;
const patienceMs = 180_000;

/** More paid orders than codes, over the public interface: what every buyer was shown is counted in the end. */
export class CodeDrill {
  private readonly http: HttpClient;
  private readonly providers = new Map<string, HttpClient>();

  constructor(private readonly run: Gateway & { redis: { url: string } }, private readonly note: (line: string) => void) {
    this.http = new HttpClient(run.gatewayUrl, buyersAtOnce);
  }

  async play({ orders, codes, wipeRedis, prefix = '' }: DrillPlan): Promise<DrillResult> {
    const folder = mkdtempSync(path.join(tmpdir(), 'floodgate-codes-'));
    try {
      const file = path.join(folder, 'codes.csv');
      await makeCodes(codes, file, prefix);
      const { saleId, itemId } = await this.makeSale(orders);
      const { added } = await sendCodes(this.run, saleId, itemId, file, () => undefined);
      this.note(`sale ${saleId}: ${orders} units, ${added} codes`);
      await this.open(saleId);
      const rids = await this.each(Array.from({ length: orders }, () => `drill-${randomUUID()}`), (buyer) => this.order(saleId, itemId, buyer));
      this.note(`${rids.length} orders are made`);
      const half = Math.floor(rids.length / 2);
      await this.each(rids.slice(0, half), (order) => this.pay(order));
      if (wipeRedis) await this.wipe();
      await this.each(rids.slice(half), (order) => this.pay(order));
      this.note('all are paid');
      const ends = await this.each(rids, (order) => this.end(order));
      return await this.judge(saleId, { orders, codes }, ends, new Set(readFileSync(file, 'utf8').trim().split('\n').slice(1)));
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await Promise.all([this.http.close(), ...[...this.providers.values()].map((client) => client.close())]);
    }
  }

  private async makeSale(quota: number): Promise<{ saleId: string; itemId: string }> {
    const now = Date.now();
    const body = {
      title: 'Codes drill', merchantId: 'drill-merchant', mode: 'race', opensAt: new Date(now - 1_000).toISOString(), closesAt: new Date(now + 3_600_000).toISOString(),
      paymentWindowSeconds: 3_600, limits: {}, challenge: 'none',
      items: [{ skuId: `drill-${now.toString(36)}`, title: 'Voucher', kind: 'voucher', price: { amount: 100, currency: 'GBP' }, quota }],
    };
    const sale = await this.demand({ method: 'POST', path: '/v1/admin/sales', token: this.token('drill-merchant', 'merchant'), body }, [201]);
    return { saleId: String(sale.body['id']), itemId: (sale.body['items'] as { id: string }[])[0]!.id };
  }

  private async open(saleId: string): Promise<void> {
    await this.demand({ method: 'POST', path: `/v1/admin/sales/${saleId}/submit`, token: this.token('drill-merchant', 'merchant') }, [200, 409]);
    await this.demand({ method: 'POST', path: `/v1/admin/sales/${saleId}/approve`, token: this.token('drill-approver', 'approver') }, [200, 409]);
    await this.until({ method: 'GET', path: `/v1/admin/sales/${saleId}`, token: this.token('drill-merchant', 'merchant') }, (sale) => sale['state'] === 'OPEN');
  }

  private async order(saleId: string, itemId: string, buyer: string): Promise<{ buyer: string; rid: string }> {
    const token = this.token(buyer, 'buyer');
    const entry = await this.demand({ method: 'POST', path: `/v1/sales/${saleId}/entry-token`, token }, [200]);
    const reserved = await this.demand({
      method: 'POST', path: `/v1/sales/${saleId}/reservations`, token, key: 'once', body: { entryToken: entry.body['token'], items: [{ itemId, quantity: 1 }] },
    }, [202]);
    const rid = String(reserved.body['reservationId']);
    await this.until({ method: 'GET', path: `/v1/reservations/${rid}`, token }, ({ state }) => state === 'ORDERED');
    return { buyer, rid };
  }

  private async pay({ buyer, rid }: { buyer: string; rid: string }): Promise<void> {
    const started = await this.demand({ method: 'POST', path: `/v1/orders/${rid}/payments`, token: this.token(buyer, 'buyer'), key: 'pay', body: { provider: 'sandbox' } }, [200, 201]);
    const page = new URL(String(started.body['redirectUrl']));
    const provider = this.providers.get(page.origin) ?? new HttpClient(page.origin, buyersAtOnce);
    this.providers.set(page.origin, provider);
    await this.demand({ method: 'POST', path: page.pathname + page.search, body: { outcome: 'capture' } }, [202, 409], provider);
  }

  private async end({ buyer, rid }: { buyer: string; rid: string }): Promise<{ state: string; reason: string; codes: string[] }> {
    const token = this.token(buyer, 'buyer');
    const last = await this.until({ method: 'GET', path: `/v1/reservations/${rid}`, token }, ({ state }) => state === 'FULFILLED' || state === 'RELEASED');
    const order = await this.demand({ method: 'GET', path: `/v1/orders/${rid}`, token }, [200]);
    return { state: String(last['state']), reason: String(last['reason']), codes: (order.body['codes'] ?? []) as string[] };
  }

  private async wipe(): Promise<void> {
    const redis = createRedis(this.run.redis.url, { name: 'codes-drill' });
    try {
      for (let tries = 0; redis.status !== 'ready' && tries < 200; tries++) await wait(50);
      await redis.flushall();
      this.note('Redis is wiped');
    } finally {
      redis.disconnect();
    }
  }

  private async judge(saleId: string, plan: { orders: number; codes: number }, ends: { state: string; reason: string; codes: string[] }[], imported: ReadonlySet<string>): Promise<DrillResult> {
    const shown = ends.flatMap(({ codes }) => codes);
    const audited = await this.until({ method: 'GET', path: `/v1/admin/sales/${saleId}/audit`, token: this.token('drill-auditor', 'auditor') }, ({ settling }) => settling === 0);
    const fulfilled = ends.filter(({ state }) => state === 'FULFILLED').length;
    const outOfInventory = ends.filter(({ reason }) => reason === 'out-of-inventory').length;
    return {
      saleId, ...plan, fulfilled, outOfInventory, other: ends.length - fulfilled - outOfInventory,
      twice: shown.length - new Set(shown).size, invented: shown.filter((code) => !imported.has(code)).length,
      payments: audited['payments'] as DrillResult['payments'], verdict: String(audited['verdict']), findings: audited['findings'] as string[],
    };
  }

  private async each<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
    const results: R[] = [];
    let next = 0;
    await Promise.all(Array.from({ length: buyersAtOnce }, async () => {
      for (let at = next++; at < all.length; at = next++) results[at] = await work(all[at]!);
    }));
    return results;
  }

  private async until(call: Call, reached: (body: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (const deadline = Date.now() + patienceMs; ;) {
      const { body } = await this.demand(call, [200]);
      if (reached(body)) return body;
      if (Date.now() > deadline) throw new Error(`${call.path} stays ${String(body['state'] ?? body['verdict'])}`);
      await wait(200);
    }
  }

  /** Asks until the platform answers with one of these; a platform that is being rebuilt says 503, and later it does not. */
  private async demand(call: Call, statuses: readonly number[], client = this.http): Promise<Answered> {
    for (const deadline = Date.now() + patienceMs; ;) {
      const answer = await client.call(call);
      if (answer.kind === 'answered' && statuses.includes(answer.status)) return answer;
      const passing = answer.kind === 'lost' || [425, 429, 503].includes(answer.status);
      if (!passing || Date.now() > deadline) throw new Error(`${call.method} ${call.path}: ${answer.kind === 'lost' ? answer.why : `${answer.status} ${String(answer.body['code'])}`}`);
      await wait(300);
    }
  }

  private readonly tokens = new Map<string, string>();
  private token(account: string, role: string): string {
    const token = this.tokens.get(account) ?? signToken(this.run.jwtSecret, account, [role]);
    this.tokens.set(account, token);
    return token;
  }
}
