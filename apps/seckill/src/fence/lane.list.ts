import type { Answer } from '@floodgate/contracts';
import { createLogger, errorText, RequestClient } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { StockStore } from '../stock/stock.store.js';
import { LaneRegistry } from './lane.registry.js';

export type OrderedLane = Answer<'list-lanes'>['lanes'][number];

const LIST_TIMEOUT_MS = 2_000;

/** Which lanes there are, and at which epochs, from the order service: the only one who cannot have forgotten. */
@Injectable()
export class LaneList {
  /** Whether the order service has answered since we started; before, an unknown lane may simply be news. */
  known = false;
  private readonly logger = createLogger('lane-list');
  private underWay: Promise<OrderedLane[]> | null = null;

  constructor(
    private readonly client: RequestClient,
    private readonly lanes: LaneRegistry,
    private readonly stock: StockStore,
  ) {}

  /** Asks, and takes over what is new. @throws RequestError */
  ask(): Promise<OrderedLane[]> {
    this.underWay ??= this.askNow().finally(() => { this.underWay = null; });
    return this.underWay;
  }

  /** As {@link ask}, without waiting for it: it is repeated anyway. */
  refresh(): void {
    this.ask().catch((error: unknown) => this.logger.debug(errorText(error)));
  }

  private async askNow(): Promise<OrderedLane[]> {
    const { lanes } = await this.client.ask('list-lanes', {}, { timeoutMs: LIST_TIMEOUT_MS });
    const listed = new Set<string>();
    for (const ordered of lanes) {
      const lane = this.lanes.obtain(ordered.saleId, ordered.lane);
      lane.heard(ordered);
      listed.add(lane.name);
    }
    // Nobody could load a lane that the order service does not have; one that sells is newer than the list.
    for (const lane of this.lanes.all()) if (!listed.has(lane.name) && !lane.open) this.lanes.remove(lane);
    this.known = true;
    await this.catchUp(lanes);
    return lanes;
  }

  /** A change of state that came before its lane was loaded, or while Redis was away, is made good here. */
  private async catchUp(lanes: readonly OrderedLane[]): Promise<void> {
    for (const ordered of lanes) {
      const lane = this.lanes.get(ordered.saleId, ordered.lane);
      if (!lane?.present || (lane.view?.version ?? 0) >= ordered.version) continue;
      await this.stock.changeState(lane.keys, ordered.version, ordered.state)
        .catch((error: unknown) => this.logger.debug(errorText(error))); // with Redis away the next round does it
    }
  }
}
