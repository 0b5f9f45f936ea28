import { createLogger } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { BoardStore } from '../stock/board.store.js';
import { LoadStore } from '../stock/load.store.js';
import { RedisClock } from './redis.clock.js';
import { LaneRegistry, type Lane } from './lane.registry.js';
import { RedisLink } from './redis.link.js';
import { suspicions } from '../metrics.js';

// A look at 5,000 admissions is some 100 kB; a lane with more is read in several.
const ADMITTED_PAGE = 5_000;

/**
 * Keeps this process from selling out of a Redis that may have forgotten. A lane is open only while all of this was true at the last
 * look, over the connection of now: Redis says it sells; it was loaded by this very run of the server; Redis knows the selling script,
 * which only a load brings; its epoch is not behind Postgres's. Any doubt closes every lane at once, in memory; the next look
 * opens them again or finds that a rebuild is due.
 */
@Injectable()
export class Fence {
  private readonly logger = createLogger('fence');
  private readonly onDoubt: (() => void)[] = [];
  private lastReason = '';
  private doubts = 0;

  constructor(
    private readonly link: RedisLink,
    private readonly lanes: LaneRegistry,
    private readonly boards: BoardStore,
    private readonly loads: LoadStore,
    private readonly clock: RedisClock,
  ) {
    link.whenLost(() => this.suspect('redis-lost'));
  }

  /** Closes every lane until the next look. */
  suspect(reason: string): void {
    this.doubts++;
    suspicions.inc({ reason });
    const open = this.lanes.all().filter((lane) => lane.open);
    // Vectors under way share one doubt; whoever looks has been told of it.
    if (open.length === 0) return;
    for (const lane of open) lane.open = false;
    if (reason !== this.lastReason) this.logger.warn({ reason }, 'all lanes are closed until looked at');
    this.lastReason = reason;
    for (const listener of this.onDoubt) listener();
  }

  /** As {@link suspect}, and this lane does not open again before it is loaded under a later epoch. */
  distrust(lane: Lane, epoch: number, reason: string): void {
    lane.distrustedEpoch = Math.max(lane.distrustedEpoch, epoch);
    this.suspect(reason);
  }

  /** Called when lanes have been closed, so that somebody says so, and looks. */
  whenInDoubt(listener: () => void): void {
    this.onDoubt.push(listener);
  }

  /**
   * Reads lanes from Redis, and opens those that may sell.
   * @throws InfrastructureError if Redis is away; the lanes then stay as they are, closed by whoever noticed
   */
  async look(lanes: readonly Lane[]): Promise<void> {
    const asOf = { generation: this.link.generation, doubts: this.doubts };
    const runId = await this.link.runId();
    const knowsScript = await this.loads.knowsSellingScript();
    if (lanes.length === 0) this.clock.set(await this.boards.nowMs());
    await Promise.all(lanes.map((lane) => this.lookAt(lane, { ...asOf, runId, knowsScript })));
  }

  /**
   * A lane nobody has told us of, if Redis has it: another instance may have loaded it a moment ago.
   * @throws InfrastructureError
   */
  async learn(saleId: string, number: number): Promise<Lane | undefined> {
    const known = this.lanes.get(saleId, number);
    if (known) return known;
    const lane = this.lanes.obtain(saleId, number);
    await this.look([lane]);
    if (lane.present) return lane;
    if (!lane.ordered) this.lanes.remove(lane);
    return undefined;
  }

  private async lookAt(lane: Lane, now: { generation: number; doubts: number; runId: string; knowsScript: boolean }): Promise<void> {
    for (;;) {
      const { nowMs, view } = await this.boards.read(lane.keys, { load: lane.admittedLoad, count: lane.admittedHashes.length }, ADMITTED_PAGE);
      // A connection that has ended meanwhile may have led to another run of the server.
      if (now.generation !== this.link.generation) return;
      this.clock.set(nowMs);
      if (!view) {
        lane.miss();
        this.turn(lane, false);
        return;
      }
      lane.see(view);
      lane.sound = view.selling && view.runId === now.runId && now.knowsScript && view.epoch > lane.distrustedEpoch && view.epoch >= lane.orderedEpoch;
      // What was read before the newest doubt does not dispel it.
      this.turn(lane, lane.sound && now.doubts === this.doubts);
      if (lane.admittedHashes.length >= view.admittedTotal) return;
    }
  }

  private turn(lane: Lane, open: boolean): void {
    if (open === lane.open) return;
    lane.open = open;
    if (open) lane.served();
    if (open) this.lastReason = '';
    this.logger.info({ lane: lane.name, epoch: lane.epoch }, open ? 'open' : 'closed');
  }
}
