import { randomUUID } from 'node:crypto';
import type { BoardLane } from '@floodgate/contracts';
import { createLogger, errorText } from '@floodgate/platform';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Fence } from '../fence/fence.js';
import { LaneRegistry, type Lane } from '../fence/lane.registry.js';
import { LaneWatch } from '../fence/lane.watch.js';
import { RedisClock } from '../fence/redis.clock.js';
import { BoardOutlet } from './board.outlet.js';
import { LaneBoard } from './lane.board.js';

const BEAT_MS = 1_000;
// Changes within this time go out together: at most forty boards a second, however fast a lane sells.
const GATHER_MS = 25;
// A lane of thousands of items takes milliseconds to read: telling of it must not take more than a tenth of Redis's time.
const REST_PER_LOOK = 9;

/** Tells the gateways about every lane: at once when something changes, and each second although nothing does. */
@Injectable()
export class BoardBeat implements OnApplicationBootstrap {
  private readonly logger = createLogger('board');
  private readonly source = randomUUID();
  private seq = 0;
  private readonly told = new Map<string, LaneBoard>();
  private readonly changed = new Set<Lane>();
  private gathering: NodeJS.Timeout | undefined;
  private nextBeat: NodeJS.Timeout | undefined;
  private beating: Promise<void> | null = null;
  private again = false;
  private restMs = 0;
  private stopped = false;

  constructor(
    private readonly watch: LaneWatch,
    private readonly fence: Fence,
    private readonly lanes: LaneRegistry,
    private readonly clock: RedisClock,
    private readonly outlet: BoardOutlet,
  ) {
    watch.whenWoken(() => {
      // Said before Redis is asked again: if it is silent, asking takes a second.
      this.tell(this.lanes.all());
      this.wake();
    });
    outlet.whenStopping(() => this.stop());
  }

  onApplicationBootstrap(): void {
    this.wake();
  }

  /** Something has changed in a lane: the gateways hear of it within some 25 ms. */
  touch(lane: Lane): void {
    if (this.stopped) return;
    this.changed.add(lane);
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      void this.tellChanges();
    }, Math.max(GATHER_MS, this.restMs));
  }

  /** A round and a beat of all lanes now, and from then on each second. */
  wake(): void {
    if (this.stopped) return;
    if (this.beating) {
      this.again = true;
      return;
    }
    clearTimeout(this.nextBeat);
    this.beating = this.beat().catch((error: unknown) => this.logger.error(errorText(error))).finally(() => {
      this.beating = null;
      // A doubt that arises in every round must not turn the rounds into a busy loop.
      const waitMs = this.again ? GATHER_MS : BEAT_MS;
      this.again = false;
      if (!this.stopped) this.nextBeat = setTimeout(() => this.wake(), waitMs);
    });
  }

  private async beat(): Promise<void> {
    if (this.lanes.all().some((lane) => lane.present && !lane.open)) this.tell(this.lanes.all());
    await this.watch.round();
    this.tell(this.lanes.all());
  }

  private async tellChanges(): Promise<void> {
    const lanes = [...this.changed];
    this.changed.clear();
    try {
      const startedAtMs = performance.now();
      await this.fence.look(lanes);
      this.restMs = Math.min((performance.now() - startedAtMs) * REST_PER_LOOK, BEAT_MS);
      this.tell(lanes);
    } catch (error) {
      // The next beat says it.
      this.logger.debug(errorText(error));
    }
  }

  private tell(lanes: readonly Lane[]): void {
    const nowMs = this.clock.now();
    if (nowMs === 0) return; // a board carries Redis's clock, and Redis has never been reached
    const news: BoardLane[] = [];
    for (const lane of lanes) {
      let told = this.told.get(lane.name);
      if (!told) this.told.set(lane.name, told = new LaneBoard());
      const lanesNews = told.news(lane, nowMs);
      if (lanesNews) news.push(lanesNews);
    }
    this.outlet.publish({ source: this.source, seq: this.seq++, atMs: nowMs, lanes: news });
  }

  private async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.gathering);
    clearTimeout(this.nextBeat);
    await this.beating;
  }
}
