import { createLogger, errorText, Publisher } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { rebuildsAsked } from '../metrics.js';
import { Fence } from './fence.js';
import { LaneList } from './lane.list.js';
import { LaneRegistry, type Lane } from './lane.registry.js';
import { RedisLink } from './redis.link.js';

// Often enough to learn soon of a lane that another instance has loaded; the list is small.
const LIST_EVERY_MS = 5_000;
const LIST_EVERY_CLOSED_MS = 1_000;
// Repeated because the request, or the load it leads to, may be lost with whoever had it in hand; each lane's epoch rises once.
const ASK_AGAIN_MS = 2_000;

/** Looks at every lane again and again, and asks for a rebuild of those that Redis has lost, until it has them back. */
@Injectable()
export class LaneWatch {
  private readonly logger = createLogger('lane-watch');
  private listedAtMs = Number.NEGATIVE_INFINITY;
  private asked = { seen: '', atMs: 0 };
  private readonly onWake: (() => void)[] = [];

  constructor(
    private readonly link: RedisLink,
    private readonly fence: Fence,
    private readonly list: LaneList,
    private readonly lanes: LaneRegistry,
    private readonly publisher: Publisher,
  ) {
    fence.whenInDoubt(() => this.wake());
  }

  /** Something has changed: the next round should come at once. */
  wake(): void {
    for (const listener of this.onWake) listener();
  }

  whenWoken(listener: () => void): void {
    this.onWake.push(listener);
  }

  /** One round. Ends within the time-outs of Redis's commands, and never throws: the next round tries again. */
  async round(): Promise<void> {
    this.refreshList();
    const lanes = this.lanes.all();
    // As it was heard before the look: a load that ends in between must not look like a loss, nor one that is ordered in between be asked for again.
    const lost = new Map(lanes.map((lane) => [lane, this.believedLoaded(lane) ? lane.orderedEpoch : null]));
    try {
      await this.fence.look(lanes);
    } catch (error) {
      this.logger.debug(errorText(error));
      if (lanes.some((lane) => lane.open)) this.fence.suspect('redis-silent');
      return;
    }
    if (lanes.some((lane) => lane.sound && !lane.open)) this.wake(); // a doubt arose during the look
    try {
      await this.askForRebuild(lanes.filter((lane) => !lane.sound).flatMap((lane) => {
        const epoch = lost.get(lane) ?? (lane.hasWaitedTooLong(performance.now()) ? lane.orderedEpoch : null);
        return epoch === null ? [] : [{ saleId: lane.saleId, lane: lane.lane, epoch }];
      }));
    } catch (error) {
      this.logger.debug(errorText(error));
    }
  }

  private refreshList(): void {
    const now = performance.now();
    const settled = this.list.known && this.lanes.all().every((lane) => lane.open);
    if (now - this.listedAtMs < (settled ? LIST_EVERY_MS : LIST_EVERY_CLOSED_MS)) return;
    this.listedAtMs = now;
    this.list.refresh();
  }

  /** Postgres says that the lane is loaded, or knows nothing yet of our distrust: nobody will load it unless asked to. */
  private believedLoaded(lane: Lane): boolean {
    return lane.orderedEpoch > 0 && (lane.loadedEpoch >= lane.orderedEpoch || lane.distrustedEpoch >= lane.orderedEpoch);
  }

  private async askForRebuild(seen: { saleId: string; lane: number; epoch: number }[]): Promise<void> {
    if (seen.length === 0 || !this.link.up) return;
    const name = JSON.stringify(seen);
    if (name === this.asked.seen && performance.now() - this.asked.atMs < ASK_AGAIN_MS) return;
    this.asked = { seen: name, atMs: performance.now() };
    await this.requestRebuild('redis-forgot', seen);
  }

  /** Asks the order service to raise the epochs that still are as seen, and to have those lanes loaded again. @throws PublishError */
  async requestRebuild(reason: string, seen: { saleId: string; lane: number; epoch: number }[]): Promise<void> {
    await this.publisher.publish('rebuild-lanes', { reason, seen });
    rebuildsAsked.inc();
    this.logger.warn({ reason, lanes: seen.length }, 'a rebuild is asked for');
  }
}
