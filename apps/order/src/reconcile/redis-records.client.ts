import { recallMax, type Allotment, type LaneRecord, type RecalledRow } from '@floodgate/contracts';
import { InfrastructureError, RequestClient, RequestError } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** What Redis says of one lane: its counters, and of each reservation whether it holds units. */
export interface RedisLane {
  lane: number;
  record: LaneRecord;
  holds: Map<string, boolean>;
}

const timeoutMs = 2_000;

/** Redis's side of the audit, asked of the service that owns it. */
@Injectable()
export class RedisRecordsClient {
  constructor(private readonly client: RequestClient) {}

  /** The counters alone; `unreachable` where nobody answers or the lane is not known now. */
  async lane(saleId: string, lane: number): Promise<LaneRecord | 'unreachable'> {
    return this.orUnreachable(async () => {
      const answer = await this.client.ask('audit-lane', { saleId, lane }, { timeoutMs });
      return answer.ok ? answer.value : 'unreachable';
    });
  }

  /** Every reservation, page by page, then the counters: what was reserved meanwhile shows in the relay. */
  async whole(saleId: string, lane: number): Promise<RedisLane | 'unreachable'> {
    return this.orUnreachable(async () => {
      const holds = new Map<string, boolean>();
      for (let cursor: string | null = '0'; cursor !== null;) {
        const answer: Awaited<ReturnType<typeof this.page>> = await this.page(saleId, lane, cursor);
        if (!answer.ok) return 'unreachable';
        for (const row of answer.value.rows) holds.set(row.rid, row.holds);
        cursor = answer.value.cursor;
      }
      const record = await this.lane(saleId, lane);
      return record === 'unreachable' ? record : { lane, record, holds };
    });
  }

  /** What Redis has of these reservations, and how many units of each item it was told that the lane has. */
  async recall(saleId: string, lane: number, rids: readonly string[]): Promise<{ rows: RecalledRow[]; allotments: Allotment[] } | 'unreachable'> {
    return this.orUnreachable(async () => {
      const rows: RecalledRow[] = [];
      for (let from = 0; ; from += recallMax) {
        const answer = await this.client.ask('recall-reservations', { saleId, lane, rids: rids.slice(from, from + recallMax) }, { timeoutMs });
        if (!answer.ok) return 'unreachable';
        rows.push(...answer.value.rows);
        if (from + recallMax >= rids.length) return { rows, allotments: answer.value.allotments };
      }
    });
  }

  /** Has those of them that are overdue published again. Returns them, as far as the broker is known to have them. */
  async republish(saleId: string, lane: number, rids: readonly string[]): Promise<string[]> {
    const republished: string[] = [];
    for (let from = 0; from < rids.length; from += recallMax) {
      const answer = await this.orUnreachable(() => this.client.ask('republish-reservations', { saleId, lane, rids: rids.slice(from, from + recallMax) }, { timeoutMs }));
      // Whatever was not confirmed is still listed as a difference.
      if (answer !== 'unreachable' && answer.ok) republished.push(...answer.value.republished);
    }
    return republished;
  }

  private page(saleId: string, lane: number, cursor: string) {
    return this.client.ask('list-holds', { saleId, lane, cursor }, { timeoutMs });
  }

  private async orUnreachable<T>(ask: () => Promise<T | 'unreachable'>): Promise<T | 'unreachable'> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof RequestError || error instanceof InfrastructureError) return 'unreachable';
      throw error;
    }
  }
}
