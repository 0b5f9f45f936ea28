import type { LaneLoad } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { LaneKeys } from './lane.keys.js';
import { asOutage } from './redis.script.js';
import { scripts } from './scripts.js';

/** A lane at one moment. `admittedFrom` counts the admissions before `accounts`; there are `admittedTotal` in all. */
export interface LaneView {
  nowMs: number;
  epoch: number;
  selling: boolean;
  version: number;
  state: LaneLoad['state'];
  /** Which run of the Redis server loaded the lane. */
  runId: string;
  load: string;
  items: { itemId: string; available: number; unsettled: number }[];
  admittedFrom: number;
  admittedTotal: number;
  accounts: string[];
}

type Reply = [word: 'known' | 'no-lane', nowMs: string, epoch: string, selling: string, version: string, state: LaneLoad['state'],
  runId: string, load: string, stock: string[], from: number, total: number, accounts: string[]];

/** What may be told of lanes. */
@Injectable()
export class BoardStore {
  constructor(private readonly redis: Redis) {}

  /**
   * Everything about one lane from one script.
   * @param known the admissions the caller has already, and the load they belong to; at most `want` further ones are read
   * @returns `view` null if Redis does not have the lane
   * @throws InfrastructureError
   */
  async read(keys: LaneKeys, known: { load: string; count: number }, want: number): Promise<{ nowMs: number; view: LaneView | null }> {
    const reply = await scripts.board.run<Reply>(this.redis, [keys.sale, keys.stock, keys.admitted], [known.load, known.count, want]);
    const [word, now, epoch, selling, version, state, runId, load, stock, from, total, accounts] = reply;
    const nowMs = Number(now);
    if (word === 'no-lane') return { nowMs, view: null };
    return {
      nowMs,
      view: {
        nowMs, epoch: Number(epoch), selling: selling === '1', version: Number(version), state, runId, load,
        items: readItems(stock), admittedFrom: from, admittedTotal: total, accounts,
      },
    };
  }

  /** Redis's clock, epoch milliseconds. @throws InfrastructureError */
  async nowMs(): Promise<number> {
    try {
      const [seconds, micros] = await this.redis.time();
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    } catch (error) {
      throw asOutage(error, 'time');
    }
  }
}

function readItems(stock: string[]): LaneView['items'] {
  const items: LaneView['items'] = [];
  const unsettled = new Map<string, number>();
  for (let i = 0; i < stock.length; i += 2) {
    const [itemId, kind] = (stock[i] as string).split('|') as [string, string | undefined];
    if (kind === undefined) items.push({ itemId, available: Number(stock[i + 1]), unsettled: 0 });
    else if (kind === 'unsettled') unsettled.set(itemId, Number(stock[i + 1]));
  }
  for (const item of items) item.unsettled = unsettled.get(item.itemId) ?? 0;
  return items;
}
