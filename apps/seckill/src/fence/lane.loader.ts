import type { Allotment, LaneLoad, MessageBody } from '@floodgate/contracts';
import { crashPoint, createLogger, errorText, InfrastructureError, Publisher, RequestClient } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { setTimeout as wait } from 'node:timers/promises';
import { lanesLoaded } from '../metrics.js';
import { LoadStore } from '../stock/load.store.js';
import { StockStore } from '../stock/stock.store.js';
import type { OrderedLane } from './lane.list.js';
import type { Lane } from './lane.registry.js';

const ROWS_PAGE = 1_000;
const READ_TIMEOUT_MS = 5_000;
// Admissions that Redis has forgotten and Postgres has not judged yet would be sold twice and then rejected: worth a wait, but not for ever.
const DRAIN_MAX_MS = 15_000;
const DRAIN_POLL_MS = 100;
const RESERVATIONS_PER_MESSAGE_MAX = 256;

export interface LaneToLoad {
  lane: Lane;
  load: LaneLoad;
}

/** What became of the lanes of one load: those that sell now, and those whose load was begun before Redis restarted. */
export interface LoadResult {
  selling: LaneToLoad[];
  restarted: LaneToLoad[];
}

/** Puts lanes into Redis, or back into it. A load may be begun again at any point: every step either starts afresh or goes by versions. */
@Injectable()
export class LaneLoader {
  private readonly logger = createLogger('lane-loader');

  constructor(
    private readonly loads: LoadStore,
    private readonly stock: StockStore,
    private readonly client: RequestClient,
    private readonly publisher: Publisher,
  ) {}

  /**
   * Every lane gets its epoch and is closed before anything else happens; then the judges catch up, then Redis counts what it still
   * has and takes in what Postgres has; only then the selling script is loaded and the lanes open.
   * @param newest the lanes as the order service lists them at the end: a state or an allotment changed during the load must not get lost
   * @throws InfrastructureError, RequestError, PublishError: to be repeated
   */
  async load(reason: MessageBody<'load-lanes'>['reason'], lanes: readonly LaneToLoad[], newest: () => Promise<OrderedLane[]>): Promise<LoadResult> {
    const result: LoadResult = { selling: [], restarted: [] };
    const loading: (LaneToLoad & { token: string })[] = [];
    for (const each of lanes) {
      const { word, load: token } = await this.loads.begin(each.lane.keys, each.load);
      if (word === 'loading') loading.push({ ...each, token });
      else if (word !== 'older') result[word].push(each);
    }
    if (loading.length > 0) crashPoint('rebuild.after-begin');
    const unjudged = reason === 'rebuild' && loading.length > 0 ? await this.drain() : 0;
    for (const each of loading) await this.fill(each, each.token);
    if (loading.length > 0) crashPoint('rebuild.after-fill');
    if (loading.length > 0 && !(await this.loads.knowsSellingScript())) await this.loads.loadSellingScript();
    const states = new Map((loading.length > 0 ? await newest() : []).map((ordered) => [`${ordered.saleId}:${ordered.lane}`, ordered]));
    for (const each of loading) {
      const now = states.get(each.lane.name) ?? each.load;
      await this.stock.sync(each.lane.keys, [], allotmentsOf(now));
      const word = await this.loads.open(each.lane.keys, each.token, now, unjudged * RESERVATIONS_PER_MESSAGE_MAX);
      if (word === 'restarted') throw new InfrastructureError(`redis restarted while ${each.lane.name} was loaded`);
      if (word === 'selling') {
        result.selling.push(each);
        lanesLoaded.inc({ reason });
      }
    }
    if (loading.length > 0) crashPoint('rebuild.after-open');
    return result;
  }

  /** False if Redis does not know the selling script: it was never loaded, or Redis has restarted. @throws InfrastructureError */
  redisCanSell(): Promise<boolean> {
    return this.loads.knowsSellingScript();
  }

  /** Tells the order service. Also for a lane that was loaded before: the earlier word may have been lost. @throws PublishError */
  async announce(lanes: readonly LaneToLoad[]): Promise<void> {
    for (const { load } of lanes) await this.publisher.publish('lane.loaded', { saleId: load.saleId, lane: load.lane, epoch: load.epoch });
  }

  private async fill({ lane, load }: LaneToLoad, token: string): Promise<void> {
    // Superseded: whoever began later does all of it again, and opening with our token will fail.
    if ((await this.loads.recount(lane.keys, token)) === 'superseded') return;
    let after: string | null = null;
    do {
      const page: { rows: Parameters<StockStore['sync']>[1]; next: string | null } = await this.client.ask(
        'read-rows', { saleId: load.saleId, lane: load.lane, after, limit: ROWS_PAGE }, { timeoutMs: READ_TIMEOUT_MS });
      await this.stock.sync(lane.keys, page.rows);
      after = page.next;
    } while (after !== null);
  }

  /** Waits until what was published before is judged. @returns how many messages are not, after the longest wait */
  private async drain(): Promise<number> {
    const deadline = performance.now() + DRAIN_MAX_MS;
    let unjudged = 0;
    for (;;) {
      try {
        unjudged = (await this.client.ask('count-unjudged', {})).placeOrderMessages;
        if (unjudged === 0) return 0;
      } catch (error) {
        this.logger.warn(`how much is unjudged is not known: ${errorText(error)}`);
      }
      if (performance.now() > deadline) {
        this.logger.warn({ unjudged }, 'opened before all reservations are judged');
        return unjudged;
      }
      await wait(DRAIN_POLL_MS);
    }
  }
}

/** What the lane has of each item; an allotment of version 0 has never been changed since the lane was made. */
const allotmentsOf = ({ items }: LaneLoad): Allotment[] =>
  items.flatMap(({ itemId, allotment, allotmentVersion = 0 }) => (allotmentVersion > 0 ? [{ itemId, allotment, version: allotmentVersion }] : []));
