import { Injectable } from '@nestjs/common';
import { LaneRegistry, type Lane } from '../fence/lane.registry.js';
import { RedisClock } from '../fence/redis.clock.js';
import { redisUnits, relayLength, relayOldestSeconds, unspokenOldestSeconds } from '../metrics.js';

/** A sale's last orders are paid or closed well within this after its end; then its series end too. */
const shownAfterCloseMs = 3_600_000;
/** Series are bounded, however many sales there are at once. */
const salesMax = 50;

/** What is known of the lanes of live sales, for whoever scrapes: from memory alone. */
@Injectable()
export class LaneGauges {
  constructor(private readonly lanes: LaneRegistry, private readonly clock: RedisClock) {
    relayLength.read = () => this.live().map((lane) => [{ lane: lane.name }, lane.relay.length]);
    relayOldestSeconds.read = () => this.live().map(({ name, relay }) => [{ lane: name }, relay.oldestAtMs === null ? 0 : (performance.now() - relay.oldestAtMs) / 1_000]);
    unspokenOldestSeconds.read = () => [[{}, Math.max(0, ...this.lanes.all().map((lane) => (lane.unspokenSinceMs === null ? 0 : (clock.now() - lane.unspokenSinceMs) / 1_000)))]];
    redisUnits.read = () => this.units();
  }

  private *units(): Generator<[{ sale: string; kind: string }, number]> {
    for (const [sale, lanes] of Map.groupBy(this.live(), (lane) => lane.saleId)) {
      // Half a sale would look like a loss.
      if (lanes.some((lane) => !lane.present)) continue;
      const items = lanes.flatMap((lane) => lane.view?.items ?? []);
      yield [{ sale, kind: 'available' }, items.reduce((sum, item) => sum + item.available, 0)];
      yield [{ sale, kind: 'unsettled' }, items.reduce((sum, item) => sum + item.unsettled, 0)];
    }
  }

  private live(): Lane[] {
    const closesAt = new Map<string, number>();
    for (const { saleId, ordered } of this.lanes.all()) {
      if (ordered && (ordered.state === 'ARMED' || ordered.state === 'PAUSED') && ordered.closesAtMs > this.clock.now() - shownAfterCloseMs) closesAt.set(saleId, ordered.closesAtMs);
    }
    const shown = new Set([...closesAt].sort(([, a], [, b]) => a - b).slice(0, salesMax).map(([saleId]) => saleId));
    return this.lanes.all().filter((lane) => shown.has(lane.saleId));
  }
}
