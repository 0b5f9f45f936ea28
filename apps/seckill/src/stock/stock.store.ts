import type { Allotment, Attempt, RedisRow, SyncRow } from '@floodgate/contracts';
import { packItems } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { LaneKeys } from './lane.keys.js';
import { readRecord, type LaneRecord } from './lane.record.js';
import { asOutage, refusalOf } from './redis.script.js';
import { scripts } from './scripts.js';

/** An attempt at the reserve script's door. Gate `operator`: units are taken out of sale; neither limits nor a pause apply. */
export type DoorAttempt = Omit<Attempt, 'gate'> & { gate: Attempt['gate'] | 'operator' };

/** What the reserve script says of one attempt. */
export const attemptWords = [
  'reserved', 'replayed', 'key-reused', 'not-open', 'paused', 'ended', 'gated', 'item-not-found', 'limit-reached', 'sold-out', 'malformed',
] as const;
export type AttemptWord = (typeof attemptWords)[number];

/**
 * What became of a vector. `selling`: each attempt is decided (`attempts` as the script writes them, `relayId` names the relay entry of
 * those reserved). `unknown`: it may have been decided, the answer is lost. All other words: nothing was done.
 */
export type VectorVerdict =
  | { word: 'selling'; nowMs: number; relayId: string; attempts: readonly string[] }
  | { word: 'forgotten' | 'stale-epoch' | 'not-selling' | 'late'; nowMs: number; epoch: number }
  | { word: 'no-script' | 'refused' | 'unknown'; detail: string };

/** What a sync has done. `allotment-unknown`: nothing; Redis does not know what it has counted of the allotment, so the lane must be loaded. */
export interface Synced {
  word: 'synced' | 'no-lane' | 'allotment-unknown';
  applied: number;
  adopted: number;
  /** Rows with numbers that Redis, although selling, has never given: it has forgotten admissions. */
  behind: number;
  /** Allotments that were newer. */
  restocked: number;
}

// 250 rows of nine arguments: a script of a few milliseconds, so that vectors do not wait behind a large sync.
const SYNC_ROWS_MAX = 250;

/** The reservations of a lane: what buyers take and what Postgres says of it. Keys never leave this folder. */
@Injectable()
export class StockStore {
  constructor(private readonly redis: Redis) {}

  /**
   * Decides a vector of attempts of one lane in one call. Never throws: every fault is a word.
   * @param epoch the lane's epoch as the caller knows it; another one in Redis refuses everything
   * @param deadlineAtMs by Redis's clock; a vector that arrives later is not decided
   */
  async reserve(keys: LaneKeys, epoch: number, deadlineAtMs: number, attempts: readonly DoorAttempt[]): Promise<VectorVerdict> {
    const args: (string | number)[] = [epoch, deadlineAtMs];
    for (const attempt of attempts) args.push(attempt.rid, attempt.accountId, attempt.ipHash, attempt.gate, attempt.items);
    let reply: [string, string, string, string, ...string[]];
    try {
      // EVALSHA alone, never the text: a Redis that does not know the script has restarted and may have forgotten reservations.
      reply = await scripts.reserve.traced(() => this.redis.evalsha(scripts.reserve.sha, 7, keys.sale, keys.stock, keys.resv, keys.buyer, keys.ip, keys.relay, keys.admitted, ...args)) as typeof reply;
    } catch (error) {
      const refusal = refusalOf(error);
      const detail = (error as Error).message;
      return { word: refusal === 'NOSCRIPT' ? 'no-script' : refusal ? 'refused' : 'unknown', detail };
    }
    const [word, nowMs, laneEpoch, relayId, ...decided] = reply;
    if (word === 'selling') return { word, nowMs: Number(nowMs), relayId, attempts: decided };
    return { word: word as 'forgotten' | 'stale-epoch' | 'not-selling' | 'late', nowMs: Number(nowMs), epoch: Number(laneEpoch) };
  }

  /**
   * Applies rows and allotments of Postgres by version; allotments go in with the first rows, never after them. A lane that Redis does not have drops them: the load that creates it reads the rows from
   * Postgres after it has created it, and a row that reached us was committed before.
   * @throws InfrastructureError if Redis is away; to be repeated
   */
  async sync(keys: LaneKeys, rows: readonly SyncRow[], allotments: readonly Allotment[] = []): Promise<Synced> {
    const total: Synced = { word: 'synced', applied: 0, adopted: 0, behind: 0, restocked: 0 };
    for (let from = 0; from < rows.length || (from === 0 && allotments.length > 0); from += SYNC_ROWS_MAX) {
      const changes = from === 0 ? allotments : [];
      const args: (string | number)[] = [changes.length, ...changes.flatMap(({ itemId, version, allotment }) => [itemId, version, allotment])];
      for (const row of rows.slice(from, from + SYNC_ROWS_MAX)) {
        args.push(row.rid, row.version, row.holds ? 1 : 0, row.settled ? 1 : 0, row.accountId, row.ipHash, packItems(row.items), row.number, row.reservedAtMs);
      }
      const [word, applied, adopted, behind, restocked] = await scripts.sync.run<[Synced['word'], number, number, number, number]>(
        this.redis, [keys.sale, keys.stock, keys.resv, keys.buyer, keys.ip, keys.admitted, keys.allotment], args);
      total.word = word;
      total.restocked += restocked;
      total.applied += applied;
      total.adopted += adopted;
      total.behind += behind;
      if (word !== 'synced') break;
    }
    return total;
  }

  /** Takes over the sale's state if the version is newer. @throws InfrastructureError */
  changeState(keys: LaneKeys, version: number, state: string): Promise<'changed' | 'older' | 'no-lane'> {
    return scripts.changeState.run(this.redis, [keys.sale], [version, state]);
  }

  /** @throws InfrastructureError */
  async find(keys: LaneKeys, rid: string): Promise<LaneRecord | null> {
    const record = await this.redis.hget(keys.resv, rid).catch(away('find'));
    return record === null ? null : readRecord(rid, record);
  }

  /** Those of these reservations that the lane has. @throws InfrastructureError */
  async recall(keys: LaneKeys, rids: readonly string[]): Promise<LaneRecord[]> {
    if (rids.length === 0) return [];
    const records = await this.redis.hmget(keys.resv, ...rids).catch(away('recall'));
    return records.flatMap((record, at) => (record === null ? [] : [readRecord(rids[at] as string, record)]));
  }

  /** How many units of each item the lane has in all, as Postgres last said it, and at which version. @throws InfrastructureError */
  async allotments(keys: LaneKeys): Promise<Allotment[]> {
    const told = await this.redis.hgetall(keys.allotment).catch(away('allotments'));
    return Object.entries(told).map(([itemId, text]) => {
      const [version, units] = text.split('|');
      return { itemId, version: Number(version), allotment: Number(units) };
    });
  }

  /**
   * A page of all reservations in no order; while reservations are added, one may come twice, none is left out.
   * @returns `cursor` for the next page, null after the last
   * @throws InfrastructureError
   */
  async list(keys: LaneKeys, cursor: string, count: number): Promise<{ rows: LaneRecord[]; cursor: string | null }> {
    const [next, flat] = await this.redis.hscan(keys.resv, cursor, 'COUNT', count).catch(away('list'));
    const rows: LaneRecord[] = [];
    for (let i = 0; i < flat.length; i += 2) rows.push(readRecord(flat[i] as string, flat[i + 1] as string));
    return { rows, cursor: next === '0' ? null : next };
  }

  /** How many reservations the lane has, and how many relay entries still stand. @throws InfrastructureError */
  async count(keys: LaneKeys): Promise<{ reservations: number; relayLength: number }> {
    const [reservations, relayLength] = await Promise.all([this.redis.hlen(keys.resv), this.redis.xlen(keys.relay)]).catch(away('count'));
    return { reservations, relayLength };
  }
}

/** The public part of a record. */
export function rowOf(record: LaneRecord): RedisRow {
  const { relayId: _relayId, ...row } = record;
  return row;
}

const away = (what: string) => (error: unknown): never => {
  throw asOutage(error, what);
};
