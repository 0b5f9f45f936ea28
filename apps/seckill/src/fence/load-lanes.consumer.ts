import { Consume, createLogger, errorText, Publisher, type DeliveryOf } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { LaneList, type OrderedLane } from './lane.list.js';
import { LaneLoader, type LaneToLoad } from './lane.loader.js';
import { LaneRegistry } from './lane.registry.js';
import { LaneWatch } from './lane.watch.js';

/** Arming and rebuilding: the one message that puts lanes into Redis. */
@Controller()
export class LoadLanesConsumer {
  private readonly logger = createLogger('load-lanes');
  /** Sales whose arming has failed and been told so; it is tried again until it succeeds. */
  private readonly failing = new Set<string>();

  constructor(
    private readonly loader: LaneLoader,
    private readonly list: LaneList,
    private readonly lanes: LaneRegistry,
    private readonly watch: LaneWatch,
    private readonly publisher: Publisher,
  ) {}

  @Consume('seckill.load-lanes')
  async load(deliveries: DeliveryOf<'seckill.load-lanes'>[]): Promise<void> {
    for (const { body } of deliveries) {
      try {
        await this.loadLanes(body);
        for (const { saleId } of body.lanes) this.failing.delete(saleId);
      } catch (error) {
        if (body.reason === 'arm') await this.tellFailure(body.lanes.map(({ saleId }) => saleId), errorText(error));
        throw error;
      }
    }
  }

  /** Once per sale, until it succeeds: whoever approved it looks at it now. */
  private async tellFailure(saleIds: readonly string[], error: string): Promise<void> {
    for (const saleId of new Set(saleIds)) {
      if (this.failing.has(saleId)) continue;
      await this.publisher.publish('sale.arm-failed', { saleId, error });
      this.failing.add(saleId);
    }
  }

  private async loadLanes({ reason, lanes }: DeliveryOf<'seckill.load-lanes'>['body']): Promise<void> {
    const ordered = await this.list.ask();
    const wanted: LaneToLoad[] = [];
    for (const load of lanes) {
      const lane = this.lanes.obtain(load.saleId, load.lane);
      lane.heard({ ...load, loadedEpoch: 0 });
      // Where Postgres has a later epoch, this message has been overtaken and another is on its way.
      if (lane.orderedEpoch === load.epoch) wanted.push({ lane, load });
    }
    if (reason === 'arm' && (await this.mustRebuildInstead(wanted, ordered))) return;
    const { selling, restarted } = await this.loader.load(reason, wanted, () => this.list.ask());
    await this.loader.announce(selling);
    for (const { lane, load } of restarted) lane.distrustedEpoch = Math.max(lane.distrustedEpoch, load.epoch);
    this.logger.info({ reason, selling: selling.map(({ lane, load }) => `${lane.name}@${load.epoch}`), restarted: restarted.length }, 'loaded');
    this.watch.wake();
  }

  /**
   * Without the selling script Redis has restarted since other lanes were loaded. Loading it for one more lane would end the alarm
   * that those lanes rely on, so all of them are loaded together, under new epochs.
   */
  private async mustRebuildInstead(wanted: readonly LaneToLoad[], ordered: readonly OrderedLane[]): Promise<boolean> {
    if (wanted.length === 0 || (await this.loader.redisCanSell())) return false;
    const others = ordered.filter((other) => other.loadedEpoch > 0 && !wanted.some(({ lane }) => lane.saleId === other.saleId && lane.lane === other.lane));
    if (others.length === 0) return false;
    const seen = [...others, ...wanted.map(({ load }) => load)].map(({ saleId, lane, epoch }) => ({ saleId, lane, epoch }));
    await this.watch.requestRebuild('script-missing', seen);
    return true;
  }
}
