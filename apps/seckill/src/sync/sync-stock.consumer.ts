import type { Allotment, SyncRow } from '@floodgate/contracts';
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

  /** Rows and allotments go by version, so that a repeated or overtaken message changes nothing. With Redis away the consumer pauses. */
  @Consume('seckill.sync-stock', { batch: { sizeMax: 64, waitMs: 5 } })
  async sync(deliveries: DeliveryOf<'seckill.sync-stock'>[]): Promise<void> {
    const byLane = new Map<string, { saleId: string; lane: number; rows: SyncRow[]; allotments: Allotment[] }>();
    for (const { body: { saleId, lane, rows, allotments = [] } } of deliveries) {
      const name = `${saleId}:${lane}`;
      const same = byLane.get(name);
      if (!same) {
        byLane.set(name, { saleId, lane, rows: [...rows], allotments: [...allotments] });
        continue;
      }
      same.rows.push(...rows);
      same.allotments.push(...allotments);
    }
    for (const { saleId, lane, rows, allotments } of byLane.values()) await this.syncLane(saleId, lane, rows, allotments);
  }

  private async syncLane(saleId: string, number: number, rows: readonly SyncRow[], allotments: readonly Allotment[]): Promise<void> {
    crashPoint('sync.before-redis');
    const { word, applied, adopted, behind, restocked } = await this.stock.sync(keysOf(saleId, number), rows, allotments);
    crashPoint('sync.after-redis');
    rowsSynced.inc({ outcome: word === 'no-lane' ? 'no-lane' : 'stale' }, rows.length - applied);
    rowsSynced.inc({ outcome: 'applied' }, applied - adopted);
    rowsSynced.inc({ outcome: 'adopted' }, adopted);
    const lane = this.lanes.get(saleId, number);
    if (!lane) return;
    if (applied + restocked > 0) this.board.touch(lane);
    // The load that follows reads all of this from Postgres.
    if (word === 'allotment-unknown') this.fence.distrust(lane, lane.epoch, word);
    // Numbers that Redis has never given, although it gives them all: it has forgotten admissions.
    if (behind > 0) this.fence.distrust(lane, lane.epoch, 'behind-postgres');
  }
}
