import { Injectable } from '@nestjs/common';
import type { Answer, Ask, LaneRecord, RedisCheck, RequestName, StockCheck } from '@floodgate/contracts';
import { Database, QueueInspector, RequestClient, RequestError } from '@floodgate/platform';
import { AudienceMembers } from '../audience/audience.members.js';
import type { Sale } from './sale.entity.js';
import { saleDocument } from './sale.view.js';

/** A clock as somebody read it, between two moments of our own monotonic clock. */
export interface ClockReading {
  sentMs: number;
  receivedMs: number;
  atMs: number;
}

/** What the checklist looks at besides the sale itself. Null: whoever knows does not answer. */
export interface Facts {
  stock: StockCheck | null;
  redis: RedisCheck | null;
  /** What is wrong with the broker's queues. */
  brokerFaults: readonly string[] | null;
  /** What Redis has of the sale, by lane; empty: nothing yet. */
  lanes: readonly LaneRecord[] | null;
  /** Whether the sale has an audience in which nobody is. */
  audienceEmpty: boolean;
  clocks: { redis: ClockReading | null; postgres: ClockReading | null };
}

/** Asks everybody at once. Nothing of it is kept: a sale is judged by what is true when it is to be armed. */
@Injectable()
export class PreflightFacts {
  constructor(private readonly client: RequestClient, private readonly inspector: QueueInspector, private readonly database: Database, private readonly members: AudienceMembers) {}

  async gather(sale: Sale): Promise<Facts> {
    const [stock, redis, postgres, brokerFaults, lanes, audienceEmpty] = await Promise.all([
      this.ask('check-stock', { saleId: sale.id, skuIds: sale.items.map((item) => item.skuId) }),
      this.timed(() => this.ask('check-redis', {})),
      this.timed(() => this.database.query<{ atMs: number }>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "atMs"')),
      // Without a link to the broker nothing can be armed, and the row says so.
      this.inspector.topologyFaults().catch(() => null),
      this.lanesOf(sale),
      sale.audience ? this.members.isEmpty(sale.id) : false,
    ]);
    const known = redis.value?.ok ? redis.value.value : null;
    return {
      stock, redis: known, brokerFaults, lanes, audienceEmpty,
      clocks: { redis: known && { ...redis, atMs: known.nowMs }, postgres: { ...postgres, atMs: postgres.value[0]!.atMs } },
    };
  }

  private async lanesOf(sale: Sale): Promise<LaneRecord[] | null> {
    const lanes = await Promise.all(Array.from({ length: saleDocument(sale).lanes }, (_, lane) => this.ask('audit-lane', { saleId: sale.id, lane })));
    const records: LaneRecord[] = [];
    for (const lane of lanes) {
      if (lane?.ok) records.push(lane.value);
      else if (lane?.code !== 'SALE_NOT_FOUND') return null;
    }
    return records;
  }

  private async timed<T>(read: () => Promise<T>): Promise<{ value: T; sentMs: number; receivedMs: number }> {
    const sentMs = performance.now();
    return { value: await read(), sentMs, receivedMs: performance.now() };
  }

  private async ask<N extends RequestName>(name: N, body: Ask<N>): Promise<Answer<N> | null> {
    try {
      return await this.client.ask(name, body);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return null; // nobody answers: that is what the row says then
    }
  }
}
