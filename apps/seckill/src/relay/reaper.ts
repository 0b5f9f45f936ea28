import type { Reservation } from '@floodgate/contracts';
import { crashPoint, Publisher } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { Lane } from '../fence/lane.registry.js';
import { RedisClock } from '../fence/redis.clock.js';
import { republished } from '../metrics.js';
import { StockStore } from '../stock/stock.store.js';
import { isOverdue, OVERDUE_MS } from './overdue.js';
import { publishReservations } from './publish-reservations.js';
import { reservationOf } from './reservation.js';

const RECORDS_MIN = 500;
// A lane is gone through about once a minute, so that nothing is published more often than that.
const SWEEPS_PER_CYCLE = 60;

/**
 * Publishes reservations again of which Postgres has not spoken for a minute. It never releases one: the message may still be
 * under way, and its buyer was told that the units are held.
 */
@Injectable()
export class Reaper {
  private readonly cursors = new WeakMap<Lane, { next: string; size: number; seen: number; startedAtMs: number; oldestMs: number }>();

  constructor(
    private readonly stock: StockStore,
    private readonly publisher: Publisher,
    private readonly clock: RedisClock,
  ) {}

  /** Looks at the next part of a lane. @throws InfrastructureError, PublishError: this part comes again with the next cycle */
  async sweep(lane: Lane): Promise<void> {
    const now = performance.now();
    let cursor = this.cursors.get(lane);
    if (cursor?.next === '0' && now - cursor.startedAtMs < OVERDUE_MS) return;
    if (!cursor || cursor.next === '0') this.cursors.set(lane, cursor = { next: '0', size: cursor?.seen ?? 0, seen: 0, startedAtMs: now, oldestMs: Infinity });
    const { epoch } = lane;
    const page = await this.stock.list(lane.keys, cursor.next, Math.max(RECORDS_MIN, Math.ceil(cursor.size / SWEEPS_PER_CYCLE)));
    cursor.next = page.cursor ?? '0';
    cursor.seen += page.rows.length;
    for (const row of page.rows) if (row.version === 0) cursor.oldestMs = Math.min(cursor.oldestMs, row.reservedAtMs);
    if (cursor.next === '0') lane.unspokenSinceMs = cursor.oldestMs === Infinity ? null : cursor.oldestMs;
    const nowMs = this.clock.now();
    const unspoken = page.rows.filter((row) => isOverdue(row, nowMs)).map(reservationOf);
    for (let from = 0; from < unspoken.length; from += 256) {
      if (!lane.open || lane.epoch !== epoch) return;
      await this.publish(lane, unspoken.slice(from, from + 256));
    }
  }

  private async publish(lane: Lane, reservations: Reservation[]): Promise<void> {
    await publishReservations(this.publisher, lane, lane.epoch, reservations);
    crashPoint('reap.after-publish');
    republished.inc({ by: 'reaper' }, reservations.length);
  }
}
