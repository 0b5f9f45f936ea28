import { Client } from 'pg';

import { Entry } from '../../scenario/entry.js';
import { ask, freeEntry, makeSale, staffTokens, waitForOpening } from '../../scenario/make-sale.js';
import type { Plan } from '../../scenario/plan.js';
import { settledAudit } from '../../scenario/records.js';
import { Stage, type StagedSale } from '../../scenario/stage.js';
import type { RunFile } from '../../supervisor/run-file.js';
import type { Roots } from '../process-cpu.js';
import { addressOf, buyersMax, grabBytes, type Inspected, type Offering, type Subject } from './subject.js';

const currency = 'GBP';
/** The schema of the order service. */
const rowsOfSale = 'SELECT count(*)::int AS rows FROM orders.orders WHERE sale_id = $1';
const delaysOfSale = `SELECT percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM created_at - reserved_at) * 1000)::float8[] AS ms FROM orders.orders WHERE sale_id = $1`;
const sellOutWithinMs = 30_000;

/** The whole platform, with everything on that it has in production. */
export class FloodgateSubject implements Subject {
  readonly name = 'floodgate';
  private stage: Stage | null = null;

  constructor(private readonly run: RunFile, private readonly database: Client) {}

  get roots(): Roots {
    const { services, redis, rabbitmq, postgres } = this.run;
    return { ...Object.fromEntries(services.map(({ name, pid }) => [name, pid])), redis: redis.pid!, rabbitmq: rabbitmq.pid!, postgres: postgres.pid! };
  }

  async offer(units: number): Promise<Offering> {
    await this.stage?.close();
    const { tokens, stage, sale } = await this.makeSale(Math.max(1, units));
    this.stage = stage;
    const origin = new URL(this.run.gatewayUrl);
    const request = await this.requests(stage, sale, origin);
    if (units === 0) await this.sellOut(stage, sale);
    const inspect = async (): Promise<Inspected> => ({
      audit: (await settledAudit(stage, sale, tokens.auditor))?.verdict ?? 'unknown',
      reservedToRowMs: await this.delays(sale.id),
    });
    return { origin, request, persisted: () => this.rows(sale.id), inspect };
  }

  async close(): Promise<void> {
    await this.stage?.close();
  }

  private async makeSale(quota: number): Promise<{ tokens: Awaited<ReturnType<typeof staffTokens>>; stage: Stage; sale: StagedSale }> {
    const items = [{ sku: 'bench', title: 'Measured', price: 100, quota, perAccount: quota, weight: 1 }];
    const plan: Plan = { seed: 1, items, presses: [], buyers: [], fateOf: () => ({ name: 'lapse', thinkMs: 0, byEvents: false, early: false, captureDelayMs: 0, repeat: 0 }) };
    const stage = new Stage(this.run, plan, { addressOf: (buyer) => addressOf(Number(buyer.split('-').at(-1)) || 0) });
    const tokens = await staffTokens(stage);
    // Nobody pays: orders stay as they are until all is measured.
    const terms = { currency, opensInSeconds: 1, closesAfterSeconds: 86_400, paymentWindowSeconds: 86_400, ...freeEntry };
    const sale = await makeSale(stage, { title: 'Bench', sale: terms }, tokens);
    await waitForOpening(stage, sale);
    return { tokens, stage, sale };
  }

  private async requests(stage: Stage, sale: StagedSale, origin: URL): Promise<Offering['request']> {
    const entry = new Entry(stage, sale, 'none');
    const buyers = Array.from({ length: buyersMax }, (_, nth) => `bench-${nth}`);
    const made = await Promise.all(buyers.map(async (buyer, nth) => {
      const entryToken = await entry.tokenOf(buyer);
      if (entryToken === null) throw new Error(`the gateway gave ${buyer} no entry token`);
      const content = JSON.stringify({ entryToken, items: [{ itemId: sale.items[0]!.id, quantity: 1 }] });
      return grabBytes({ origin, path: `/v1/sales/${sale.id}/reservations`, token: stage.tokenOf(buyer), from: addressOf(nth), body: () => content });
    }));
    return (nth) => made[nth % buyersMax]!(`k${nth}`);
  }

  /** Somebody else takes the only unit; from then on each gateway has heard of it within a second. */
  private async sellOut(stage: Stage, sale: StagedSale): Promise<void> {
    const buyer = 'bench-first';
    const entryToken = await new Entry(stage, sale, 'none').tokenOf(buyer);
    const grab = { method: 'POST', path: `/v1/sales/${sale.id}/reservations`, ...stage.as(buyer), key: 'first', body: { entryToken, items: [{ itemId: sale.items[0]!.id, quantity: 1 }] } } as const;
    await ask(stage, grab);
    const untilMs = Date.now() + sellOutWithinMs;
    // Refused without a token: nothing but the early refusal comes before that.
    while ((await ask(stage, { method: 'POST', path: grab.path, body: {} })).body['code'] !== 'SOLD_OUT') {
      if (Date.now() > untilMs) throw new Error('the gateway does not hear that the sale is sold out');
      await stage.pauses.sleep(50);
    }
  }

  private async rows(saleId: string): Promise<number> {
    return (await this.database.query<{ rows: number }>(rowsOfSale, [saleId])).rows[0]!.rows;
  }

  private async delays(saleId: string): Promise<Inspected['reservedToRowMs']> {
    const [p50, p99] = (await this.database.query<{ ms: [number, number] | null }>(delaysOfSale, [saleId])).rows[0]!.ms ?? [0, 0];
    return { p50, p99 };
  }
}
