import type { SyncRow } from '@floodgate/contracts';
import { Consume, crashPoint, type DeliveryOf } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { BoardBeat } from '../board/board.beat.js';
import { Fence } from '../fence/fence.js';
import { LaneRegistry } from '../fence/lane.registry.js';
import { rowsSynced } from '../metrics.js';
import { keysOf } from '../stock/lane.keys.js';
import { StockStore } from '../stock/stock.store.js';

/** What Postgres decided about reservations, on its way into Redis. */
@Controller()
export class SyncStockConsumer {
  constructor(
    private readonly stock: StockStore,
    private readonly lanes: LaneRegistry,
    private readonly fence: Fence,
    private readonly board: BoardBeat,
  ) {}

  /** Rows go by version, so that a repeated or overtaken message changes nothing. With Redis away the consumer pauses. */
  @Consume('seckill.sync-stock', { batch: { sizeMax: 64, waitMs: 5 } })
  async sync(deliveries: DeliveryOf<'seckill.sync-stock'>[]): Promise<void> {
    const byLane = new Map<string, { saleId: string; lane: number; rows: SyncRow[] }>();
    for (const { body } of deliveries) {
      const name = `${body.saleId}:${body.lane}`;
      const same = byLane.get(name);
      if (same) same.rows.push(...body.rows);
      else byLane.set(name, { saleId: body.saleId, lane: body.lane, rows: [...body.rows] });
    }
    for (const { saleId, lane, rows } of byLane.values()) await this.syncLane(saleId, lane, rows);
  }

  private async syncLane(saleId: string, number: number, rows: readonly SyncRow[]): Promise<void> {
    crashPoint('sync.before-redis');
    const { word, applied, adopted, behind } = await this.stock.sync(keysOf(saleId, number), rows);
    crashPoint('sync.after-redis');
    rowsSynced.inc({ outcome: word === 'no-lane' ? 'no-lane' : 'stale' }, rows.length - applied);
    rowsSynced.inc({ outcome: 'applied' }, applied - adopted);
    rowsSynced.inc({ outcome: 'adopted' }, adopted);
    const lane = this.lanes.get(saleId, number);
    if (!lane) return;
    if (applied > 0) this.board.touch(lane);
    // Numbers that Redis has never given, although it gives them all: it has forgotten admissions.
    if (behind > 0) this.fence.distrust(lane, lane.epoch, 'behind-postgres');
  }
}
