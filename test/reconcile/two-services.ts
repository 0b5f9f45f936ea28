import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { packItems, reservationId, type ReconciliationView, type SaleDocument } from '@floodgate/contracts';
import { metrics } from '@floodgate/platform';
import { eventually, startService, type RunningService } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';
import { OrderHarness } from '../../apps/order/src/support/order.harness.js';
import { keysOf, type LaneKeys } from '../../apps/seckill/src/stock/lane.keys.js';
import { PrivateRedis } from '../../apps/seckill/src/support/private.redis.js';

const patience = { timeoutMs: 60_000 };
const actor = { accountId: 'o-reconcile', roles: ['operator'] };
const scalars = ['sale', 'stock', 'allotment', 'buyer', 'ip'] as const;

/** What Redis has of a lane, as text. */
export type LanePicture = Record<string, unknown>;

/**
 * Order and seckill as they run, on real servers, with a Redis that nobody else uses. The reaper rests: it mends by itself, a minute
 * later, what these tests want to see mended by hand.
 */
export class TwoServices {
  private constructor(readonly order: OrderHarness, readonly seckill: RunningService, readonly server: PrivateRedis, readonly redis: Redis) {}

  static async start(): Promise<TwoServices> {
    const server = await PrivateRedis.start();
    const order = await OrderHarness.start();
    // Both services have a gauge of this name, and one process shows one of them.
    metrics.removeSingleMetric('floodgate_clock_skew_seconds');
    const { AppModule: SeckillModule } = await import('../../apps/seckill/src/app.module.js');
    const { Reaper } = await import('../../apps/seckill/src/relay/reaper.js');
    const seckill = await startService(
      () => SeckillModule.with({ REDIS_URL: server.url }), (builder) => builder.overrideProvider(Reaper).useValue({ sweep: async () => undefined }), order.service.place);
    return new TwoServices(order, seckill, server, await server.connect());
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    await this.seckill.stop();
    await this.order.stop();
    await this.server.stop();
  }

  /** A sale of one item that sells. */
  async sale(changes: Partial<SaleDocument> = {}, quota = 10): Promise<SaleDocument> {
    const sale = await this.order.sale(changes, quota);
    await eventually(async () => {
      expect(await this.order.database.query('SELECT FROM sale WHERE sale_id = $1 AND armed', [sale.saleId])).toHaveLength(1);
    }, 60_000);
    return sale;
  }

  /** One unit, reserved as a gateway has it done; resolves with the order. */
  async buy(sale: SaleDocument, lane = 0): Promise<string> {
    const accountId = `buyer-${randomUUID()}`;
    const rid = reservationId(sale.saleId, sale.ridSecret, accountId, randomUUID());
    const attempt = { rid, accountId, ipHash: '', gate: 'clear' as const, items: packItems([{ itemId: sale.items[0]!.itemId, quantity: 1 }]) };
    await eventually(async () => {
      // The same key again is a replay, so that a lost answer does no harm.
      const { results } = await this.order.service.client.ask('reserve', { saleId: sale.saleId, lane, deadlineAtMs: Date.now() + 30_000, attempts: [attempt] });
      expect(results[0]!.word).toMatch(/^(?:reserved|replayed)$/);
    }, patience.timeoutMs);
    await eventually(async () => expect(await this.order.orders.find(rid)).not.toBeNull(), patience.timeoutMs);
    return rid;
  }

  close(sale: SaleDocument, ...rids: string[]): Promise<unknown> {
    return this.order.database.transaction((tx) => this.order.saga.closeOrders(tx, sale.saleId, rids, 'payment-timeout'));
  }

  pay(sale: SaleDocument, rid: string): Promise<unknown> {
    return this.order.database.transaction((tx) => this.order.saga.markPaid(tx, sale.saleId, rid));
  }

  async list({ saleId }: SaleDocument): Promise<ReconciliationView> {
    return this.reconcile(saleId, null);
  }

  async fix({ saleId }: SaleDocument): Promise<ReconciliationView> {
    return this.reconcile(saleId, { actor, reason: 'a test' });
  }

  private async reconcile(saleId: string, fix: { actor: typeof actor; reason: string } | null): Promise<ReconciliationView> {
    const answer = await this.order.service.client.ask('reconcile-sale', { saleId, fix }, patience);
    if (!answer.ok) throw new Error(answer.detail);
    return answer.value;
  }

  /** Resolves when nothing is under way, nothing differs, and every lane sells. */
  async settled(sale: SaleDocument): Promise<void> {
    await eventually(async () => {
      expect(await this.list(sale)).toMatchObject({ settling: 0, differences: [] });
      for (let lane = 0; lane < sale.lanes; lane++) {
        expect(await this.order.service.client.ask('audit-lane', { saleId: sale.saleId, lane })).toMatchObject({ ok: true, value: { selling: true } });
      }
    }, patience.timeoutMs);
  }

  keys({ saleId }: SaleDocument, lane = 0): LaneKeys {
    return keysOf(saleId, lane);
  }

  /** Everything of a lane; who was admitted under this load is a list that only grows, and no counter. */
  async picture(sale: SaleDocument, lane = 0): Promise<LanePicture> {
    const keys = this.keys(sale, lane);
    const hashes = await Promise.all([...scalars, 'resv' as const].map(async (name) => [name, await this.redis.hgetall(keys[name])] as const));
    return { ...Object.fromEntries(hashes), relay: await this.redis.xrange(keys.relay, '-', '+') };
  }

  /** Redis as it was at that time: as if whatever it was told since had been lost on the way. */
  async forgetSince(sale: SaleDocument, then: LanePicture, lane = 0): Promise<void> {
    const keys = this.keys(sale, lane);
    const transaction = this.redis.multi();
    for (const name of ['stock', 'allotment', 'buyer', 'ip', 'resv'] as const) {
      transaction.del(keys[name]);
      const fields = Object.entries(then[name] as Record<string, string>).flat();
      if (fields.length > 0) transaction.hset(keys[name], ...fields);
    }
    await transaction.exec();
  }

  /** A reservation that was made `ageMs` ago, and whose message is lost. Resolves with its id. */
  async loseMessage(sale: SaleDocument, ageMs: number, lane = 0): Promise<string> {
    const { keys, itemId } = { keys: this.keys(sale, lane), itemId: sale.items[0]!.itemId };
    const accountId = `buyer-${randomUUID()}`;
    const rid = reservationId(sale.saleId, sale.ridSecret, accountId, randomUUID());
    const [load, seconds] = await Promise.all([this.redis.hget(keys.sale, 'load'), this.redis.time()]);
    const number = await this.redis.hincrby(keys.sale, 'seq', 1);
    await this.redis.multi().hincrby(keys.stock, itemId, -1).hincrby(keys.stock, `${itemId}|unsettled`, 1)
      .hset(keys.resv, rid, ['0', '1', '0', number, Number(seconds[0]) * 1_000 - ageMs, load, '', accountId, '', packItems([{ itemId, quantity: 1 }])].join('|')).exec();
    return rid;
  }

  /** Changes a reservation's record, and the counters with it, as a script would that was wrong about it. */
  async rewrite(sale: SaleDocument, rid: string, change: { version?: number; holds?: boolean }, lane = 0): Promise<void> {
    const { keys, itemId } = { keys: this.keys(sale, lane), itemId: sale.items[0]!.itemId };
    const record = (await this.redis.hget(keys.resv, rid))!.split('|');
    const [before, after] = [record[1], change.holds === undefined ? record[1] : change.holds ? '1' : '0'];
    record[0] = String(change.version ?? record[0]);
    record[1] = after!;
    const released = Number(before) - Number(after);
    await this.redis.multi().hset(keys.resv, rid, record.join('|')).hincrby(keys.stock, itemId, released).hincrby(keys.stock, `${itemId}|unsettled`, record[2] === '0' ? -released : 0).exec();
  }
}
