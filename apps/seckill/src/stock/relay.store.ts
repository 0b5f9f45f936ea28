import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { LaneKeys } from './lane.keys.js';
import { readRecord, type LaneRecord } from './lane.record.js';
import { asOutage } from './redis.script.js';
import { scripts } from './scripts.js';

/** One vector's reservations of which no confirm is known; those that Postgres has spoken of are left out. */
export interface RelayEntry {
  relayId: string;
  reservations: LaneRecord[];
}

export interface RelayPage {
  /** `closed`: the lane does not sell at this epoch, so nothing may be published. */
  word: 'selling' | 'closed';
  length: number;
  /** -1: there is none. */
  oldestAgeMs: number;
  entries: RelayEntry[];
}

/** The lane's outbox: what was reserved and is not known to be with the broker. */
@Injectable()
export class RelayStore {
  constructor(private readonly redis: Redis) {}

  /** The oldest entries that are at least `ageMs` old. @throws InfrastructureError */
  async unconfirmed(keys: LaneKeys, epoch: number, ageMs: number, count: number): Promise<RelayPage> {
    const [word, length, oldestAgeMs, ...entries] = await scripts.relay.run<['selling' | 'closed', number, number, ...string[][]]>(
      this.redis, [keys.sale, keys.relay, keys.resv], [epoch, ageMs, count]);
    return { word, length, oldestAgeMs, entries: entries.map(readEntry) };
  }

  /** Forgets entries whose messages are confirmed. @throws InfrastructureError; the entries are then published again, which is harmless */
  async confirmed(keys: LaneKeys, relayIds: readonly string[]): Promise<void> {
    if (relayIds.length === 0) return;
    try {
      await this.redis.xdel(keys.relay, ...relayIds);
    } catch (error) {
      throw asOutage(error, 'relay');
    }
  }
}

function readEntry([relayId, ...flat]: string[]): RelayEntry {
  const reservations: LaneRecord[] = [];
  for (let i = 0; i < flat.length; i += 2) reservations.push(readRecord(flat[i] as string, flat[i + 1] as string));
  return { relayId: relayId as string, reservations };
}
