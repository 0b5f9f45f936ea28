import type { LaneLoad } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { LaneKeys } from './lane.keys.js';
import { asOutage } from './redis.script.js';
import { scripts } from './scripts.js';


// About 5 ms of script per page: syncs and boards of other lanes go on in between.
const RECOUNT_PAGE = 1_000;

/** Puts lanes into Redis: arming and rebuilding. The only place from which the selling script is loaded. */
@Injectable()
export class LoadStore {
  constructor(private readonly redis: Redis) {}

  /**
   * Begins a load: the lane is closed, its epoch written, and nothing counts as held yet.
   * `older`: Redis has a later epoch. `selling`: this epoch is loaded. `restarted`: it was, but Redis has restarted since, so that only
   * a later epoch may sell. `load` is for {@link recount} and {@link open}.
   * @throws InfrastructureError
   */
  async begin(keys: LaneKeys, lane: LaneLoad): Promise<{ word: 'loading' | 'older' | 'selling' | 'restarted'; load: string }> {
    const args: (string | number)[] = [lane.epoch, lane.version, lane.state, lane.opensAtMs, lane.closesAtMs, lane.perAccount ?? '', lane.perIp ?? ''];
    for (const item of lane.items) args.push(item.itemId, item.allotment, item.allotmentVersion ?? 0, item.perAccount ?? '');
    const [word, token] = await scripts.load.run<['loading' | 'older' | 'selling' | 'restarted', string]>(
      this.redis, [keys.sale, keys.stock, keys.buyer, keys.ip, keys.admitted, keys.allotment], args);
    return { word, load: token };
  }

  /** Counts all reservations that Redis still has, page by page. @throws InfrastructureError */
  async recount(keys: LaneKeys, token: string): Promise<'recounted' | 'superseded'> {
    let cursor = '0';
    do {
      const [word, next] = await scripts.recount.run<['recounted' | 'superseded', string]>(
        this.redis, [keys.sale, keys.stock, keys.resv, keys.buyer, keys.ip, keys.admitted], [token, cursor, RECOUNT_PAGE]);
      if (word === 'superseded') return word;
      cursor = next;
    } while (cursor !== '0');
    return 'recounted';
  }

  /**
   * Ends a load. `superseded`: another load of the lane began. `restarted`: Redis restarted during the load, which is to begin again.
   * @param numbersUnjudged how many admissions that Redis forgot may still turn up in Postgres
   * @throws InfrastructureError
   */
  open(keys: LaneKeys, token: string, newest: { version: number; state: string }, numbersUnjudged: number): Promise<'selling' | 'superseded' | 'restarted'> {
    return scripts.open.run(this.redis, [keys.sale], [token, newest.version, newest.state, numbersUnjudged]);
  }

  /** False after a restart, or when somebody flushed the scripts. @throws InfrastructureError */
  async knowsSellingScript(): Promise<boolean> {
    try {
      const [known] = (await this.redis.script('EXISTS', scripts.reserve.sha)) as number[];
      return known === 1;
    } catch (error) {
      throw asOutage(error, 'script exists');
    }
  }

  /** From here on Redis can sell again. Only after every lane of the load carries its new epoch. @throws InfrastructureError */
  async loadSellingScript(): Promise<void> {
    try {
      await this.redis.script('LOAD', scripts.reserve.text);
    } catch (error) {
      throw asOutage(error, 'script load');
    }
  }
}
