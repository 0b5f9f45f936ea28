import { randomBytes } from 'node:crypto';
import { packItems, reservationId, type Attempt, type ItemQuantity, type LaneLoad, type Reservation, type SyncRow } from '@floodgate/contracts';
import type { Redis } from 'ioredis';
import { BoardStore, type LaneView } from '../stock/board.store.js';
import { keysOf } from '../stock/lane.keys.js';
import { LoadStore } from '../stock/load.store.js';
import { RelayStore } from '../stock/relay.store.js';
import { StockStore, type VectorVerdict } from '../stock/stock.store.js';

export const newSaleId = (): string => randomBytes(8).toString('hex').slice(0, 10);
const SECRET = '00'.repeat(32);
const HOUR_MS = 3_600_000;

export const laneLoad = (saleId: string, change: Partial<LaneLoad> = {}): LaneLoad => ({
  saleId, lane: 0, epoch: 1, version: 1, state: 'ARMED',
  opensAtMs: Date.now() - HOUR_MS, closesAtMs: Date.now() + HOUR_MS, perAccount: null, perIp: null,
  items: [{ itemId: `${saleId}-1`, allotment: 5, perAccount: null }, { itemId: `${saleId}-2`, allotment: 3, perAccount: null }],
  ...change,
});

/** One lane of a sale of its own, and everything that can be done to it. */
export class LaneFixture {
  readonly keys;
  readonly stock;
  readonly loads;
  readonly boards;
  readonly relay;
  epoch = 0;

  constructor(readonly redis: Redis, readonly saleId = newSaleId()) {
    this.keys = keysOf(saleId, 0);
    this.stock = new StockStore(redis);
    this.loads = new LoadStore(redis);
    this.boards = new BoardStore(redis);
    this.relay = new RelayStore(redis);
  }

  /** The whole load, with these rows of Postgres; later changes of the fixture's epoch follow it. */
  async load(change: Partial<LaneLoad> = {}, rows: readonly SyncRow[] = []): Promise<void> {
    const lane = laneLoad(this.saleId, { epoch: this.epoch + 1, ...change });
    const { word, load } = await this.loads.begin(this.keys, lane);
    if (word !== 'loading') throw new Error(word);
    await this.loads.recount(this.keys, load);
    if (rows.length > 0) await this.stock.sync(this.keys, rows);
    await this.loads.loadSellingScript();
    const opened = await this.loads.open(this.keys, load, lane, 0);
    if (opened !== 'selling') throw new Error(opened);
    this.epoch = lane.epoch;
  }

  item(number: number): string {
    return `${this.saleId}-${number}`;
  }

  /** `items` as [number of the item, quantity], one of item 1 by default. */
  attempt(accountId: string, key: string, items: [number, number][] = [[1, 1]], change: Partial<Attempt> = {}): Attempt {
    const packed = packItems(items.map(([number, quantity]): ItemQuantity => ({ itemId: this.item(number), quantity })));
    return { rid: reservationId(this.saleId, SECRET, accountId, key), accountId, ipHash: '', gate: 'clear', items: packed, ...change };
  }

  reserve(...attempts: Attempt[]): Promise<VectorVerdict> {
    return this.stock.reserve(this.keys, this.epoch, Date.now() + 60_000, attempts);
  }

  /** The attempts' results, of a vector that was decided. */
  async decide(...attempts: Attempt[]): Promise<readonly string[]> {
    const verdict = await this.reserve(...attempts);
    if (verdict.word !== 'selling') throw new Error(JSON.stringify(verdict));
    return verdict.attempts;
  }

  async words(...attempts: Attempt[]): Promise<string[]> {
    return (await this.decide(...attempts)).map((text) => text.split('|', 1)[0] as string);
  }

  async view(): Promise<LaneView> {
    const { view } = await this.boards.read(this.keys, { load: '', count: 0 }, 100_000);
    if (!view) throw new Error('no lane');
    return view;
  }

  /** item number → [available, unsettled] */
  async counts(): Promise<Record<string, [number, number]>> {
    const { items } = await this.view();
    return Object.fromEntries(items.map((item) => [item.itemId.split('-')[1] as string, [item.available, item.unsettled] as [number, number]]));
  }

  /** Postgres's word on an attempt. */
  row(attempt: Attempt, version: number, fate: 'open' | 'paid' | 'closed', change: Partial<Reservation> = {}): SyncRow {
    const items = attempt.items.split(',').map((pair) => ({ itemId: pair.split(':')[0] as string, quantity: Number(pair.split(':')[1]) }));
    return {
      rid: attempt.rid, accountId: attempt.accountId, ipHash: attempt.ipHash, items, number: 1, reservedAtMs: 1,
      version, holds: fate !== 'closed', settled: fate !== 'open', ...change,
    };
  }

  sync(...rows: SyncRow[]) {
    return this.stock.sync(this.keys, rows);
  }

  /** For the difference between what is counted and what is on record: available = allotment − Σ held, always. */
  async heldOnRecord(): Promise<Record<string, number>> {
    const held: Record<string, number> = {};
    for (let cursor: string | null = '0'; cursor !== null;) {
      const page: Awaited<ReturnType<StockStore['list']>> = await this.stock.list(this.keys, cursor, 1_000);
      for (const row of page.rows.filter(({ holds }) => holds)) {
        for (const { itemId, quantity } of row.items) held[itemId.split('-')[1] as string] = (held[itemId.split('-')[1] as string] ?? 0) + quantity;
      }
      cursor = page.cursor;
    }
    return held;
  }

  /** Everything of the lane but the time-dependent, for "nothing has changed". */
  async everything(): Promise<unknown> {
    const { keys, redis } = this;
    return Promise.all([redis.hgetall(keys.sale), redis.hgetall(keys.stock), redis.hgetall(keys.resv), redis.hgetall(keys.buyer), redis.hgetall(keys.ip),
      redis.xrange(keys.relay, '-', '+'), redis.lrange(keys.admitted, 0, -1)]);
  }

  async drop(): Promise<void> {
    await this.redis.del(...Object.values(this.keys));
  }
}
