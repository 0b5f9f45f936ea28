import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { stockAccount, type Attempt, type MessageBody, type Reservation, type TakeBack } from '@floodgate/contracts';
import { Outbox } from '@floodgate/platform';
import { testUrl } from '@floodgate/platform/testing';
import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { SyncRowStore } from '../../apps/order/src/reconcile/sync-row.store.js';
import { PostgresRecordsStore } from '../../apps/order/src/reconcile/postgres-records.store.js';
import { changeId, StockChangeStore } from '../../apps/order/src/stock-change/stock-change.store.js';
import { StockBooking } from '../../apps/order/src/stock-change/stock.booking.js';
import { PurchaseFixture } from '../../apps/order/src/support/purchase.fixture.js';
import { LaneFixture } from '../../apps/seckill/src/support/lane.fixture.js';
import { connectRedis } from '../../apps/seckill/src/support/private.redis.js';
import type { DoorAttempt } from '../../apps/seckill/src/stock/stock.store.js';

jest.setTimeout(180_000);

const QUOTA = 6;
const actor = 'operator';

let at: PurchaseFixture;
let redis: Redis;
let booking: StockBooking;
let changes: StockChangeStore;
beforeAll(async () => {
  at = await PurchaseFixture.start();
  redis = await connectRedis(testUrl('TEST_REDIS_URL'));
  changes = new StockChangeStore(at.database);
  booking = new StockBooking(changes, at.ledger, at.inventory, at.sales, new Outbox());
});
afterAll(async () => {
  await redis.quit();
  await at.drop();
});

/** The scripts of Redis and the transactions of Postgres, with the messages between them in the test's hand: late, repeated, in any order. */
class World {
  readonly lane: LaneFixture;
  readonly records = new PostgresRecordsStore(at.database);
  readonly acknowledged = new Map<string, number>();
  private readonly orders = new Map<string, Reservation>();
  private readonly takeBacks = new Map<string, TakeBack>();
  /** Places in the outbox that were delivered, the rest is under way. */
  private delivered = 0;

  constructor(readonly saleId: string) {
    this.lane = new LaneFixture(redis, saleId);
  }

  async load(): Promise<void> {
    const load = (await at.sales.laneLoads(at.database, [{ saleId: this.saleId, lane: 0 }]))[0]!;
    const { rows } = await new SyncRowStore(at.database).page(this.saleId, 0, null, 1_000);
    await this.lane.load({ ...load, epoch: this.lane.epoch + 1, opensAtMs: 0, closesAtMs: 4e12 }, rows);
  }

  async reserve(buyer: number, key: number, quantity: number): Promise<void> {
    const attempt = this.lane.attempt(`buyer-${buyer}`, `k${key}`, [[1, quantity]]);
    const [word, number, reservedAtMs] = (await this.lane.decide(attempt))[0]!.split('|');
    if (word !== 'reserved') return;
    this.acknowledged.set(attempt.rid, quantity);
    this.orders.set(attempt.rid, { rid: attempt.rid, accountId: attempt.accountId, ipHash: '', items: [{ itemId: this.item, quantity }], number: Number(number), reservedAtMs: Number(reservedAtMs) });
  }

  async hold(key: number, quantity: number): Promise<void> {
    const rid = changeId(this.saleId, this.item, 'ab'.repeat(16), actor, `k${key}`);
    const row = await changes.ask({ saleId: this.saleId, rid, lane: 0, itemId: this.item, delta: -quantity, accountId: actor, reason: 'test' });
    if (row.delta !== -quantity || row.state === 'BOOKED' || row.state === 'REJECTED') return;
    const attempt: DoorAttempt = { rid, accountId: stockAccount, ipHash: '', gate: 'operator', items: `${this.item}:${quantity}` };
    const [word, number, reservedAtMs] = (await this.lane.decide(attempt as Attempt))[0]!.split('|');
    if (word === 'reserved') this.takeBacks.set(rid, { rid, itemId: this.item, quantity, number: Number(number), reservedAtMs: Number(reservedAtMs) });
    else if (word === 'sold-out') await changes.refuse(this.saleId, rid);
  }

  /** A message of a take-back arrives: for the first time, or again. */
  async book(which: number): Promise<void> {
    const takeBack = [...this.takeBacks.values()][which % Math.max(1, this.takeBacks.size)];
    if (takeBack) await at.tx((tx) => booking.takeBack(tx, this.saleId, 0, takeBack));
  }

  async place(which: number): Promise<void> {
    const reservation = [...this.orders.values()][which % Math.max(1, this.orders.size)];
    if (reservation) await at.place(this.saleId, [reservation, reservation]);
  }

  async add(key: number, units: number): Promise<void> {
    const rid = changeId(this.saleId, this.item, 'ab'.repeat(16), actor, `add-${key}`);
    await at.tx((tx) => booking.add(tx, { saleId: this.saleId, rid, lane: 0, itemId: this.item, delta: units, accountId: actor, reason: 'test' }, 1));
  }

  rid(which: number): string | undefined {
    return [...this.orders.keys()][which % Math.max(1, this.orders.size)];
  }

  /** Messages for Redis: the next ones, also in reverse and twice. */
  async sync(how: 'next' | 'reversed' | 'again'): Promise<void> {
    const said = await at.said('sync-stock', this.saleId);
    const from = how === 'again' ? 0 : this.delivered;
    const news = said.slice(from, how === 'next' ? from + 2 : undefined);
    if (how !== 'again') this.delivered = from + news.length;
    for (const body of how === 'reversed' ? news.toReversed() : news) await this.deliver(body);
  }

  async settle(): Promise<void> {
    for (let which = 0; which < this.orders.size; which++) await this.place(which);
    for (let which = 0; which < this.takeBacks.size; which++) await this.book(which);
    await this.sync('again');
  }

  /** No unit is promised twice: by Redis, by Postgres, by both. */
  async check(): Promise<void> {
    const { quota, allotment, held, sold, burned, ledger } = (await this.records.read(this.saleId))!.items[0]!;
    expect({ allotment: ledger.allotment, held: ledger.held, sold: ledger.sold, burned: ledger.burned }).toEqual({ allotment, held, sold, burned });
    expect(quota).toBe(allotment);
    expect(held + sold + burned).toBeLessThanOrEqual(quota);
    const [available] = (await this.lane.counts())['1']!;
    expect(available).toBeGreaterThanOrEqual(0);
    // What Redis has not heard of yet makes it offer less, never more.
    expect(available).toBeLessThanOrEqual(allotment - held - sold - burned);
  }

  private async deliver({ rows, allotments }: MessageBody<'sync-stock'>): Promise<void> {
    expect((await this.lane.stock.sync(this.lane.keys, rows, allotments ?? [])).word).toBe('synced');
  }

  get item(): string {
    return `${this.saleId}-1`;
  }
}

const small = fc.integer({ min: 1, max: 3 });
const key = fc.nat(3);
const command = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('reserve' as const), buyer: fc.nat(3), key, units: small }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hold' as const), key, units: small }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('add' as const), key, units: fc.constant(2) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('place', 'book', 'pay', 'cancel', 'refund' as const), of: fc.nat(20) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('sync' as const), how: fc.constantFrom('next', 'reversed', 'again' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rebuild' as const) }) });

it('whatever happens, no unit is promised twice, nobody who was promised one loses it, and at the end Redis is Postgres', async () => {
  const seed = Number(process.env['STOCK_SEED'] ?? randomBytes(4).readUInt32BE() >>> 1);
  process.stdout.write(`stock model: STOCK_SEED=${seed}\n`);
  await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 8, maxLength: 30 }), async (commands) => {
    const world = new World(await at.sale({ items: [{ quota: QUOTA }] }));
    await world.load();
    for (const step of commands) {
      if (step.do === 'reserve') await world.reserve(step.buyer, step.key, step.units);
      else if (step.do === 'hold') await world.hold(step.key, step.units);
      else if (step.do === 'add') await world.add(step.key, step.units);
      else if (step.do === 'sync') await world.sync(step.how);
      else if (step.do === 'rebuild') await world.load();
      else if (step.do === 'place') await world.place(step.of);
      else if (step.do === 'book') await world.book(step.of);
      else {
        const rid = world.rid(step.of);
        if (rid === undefined) continue;
        if (step.do === 'pay') await at.pay(world.saleId, rid);
        if (step.do === 'cancel') await at.close(world.saleId, [rid], 'cancelled-by-buyer');
        if (step.do === 'refund') {
          await at.tx((tx) => at.orders.startRefunding(tx, world.saleId, [rid], 'sale-withdrawn'));
          await at.close(world.saleId, [rid], 'sale-withdrawn');
        }
      }
      await world.check();
    }
    await world.settle();
    await world.check();
    const { allotment, held, sold, burned } = (await world.records.read(world.saleId))!.items[0]!;
    expect((await world.lane.counts())['1']![0]).toBe(allotment - held - sold - burned);
    expect(await world.lane.heldOnRecord()).toEqual(held + sold > 0 ? { 1: held + sold } : {});
    // Redis never lost anything here, so nobody with a promise was turned away.
    for (const rid of world.acknowledged.keys()) expect((await at.orders.find(rid))?.reason).not.toBe('order-rejected');
    await world.lane.drop();
  }), { numRuns: 20, seed });
});
