import type { AuditView, QueueName } from '@floodgate/contracts';
import { InfrastructureError, isoTime, QueueInspector } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { compare, type Comparison, type Records } from './compare.js';
import { PaymentBook } from './payment-book.js';
import { PostgresRecordsStore } from './postgres-records.store.js';
import { RedisRecordsClient, type RedisLane } from './redis-records.client.js';

const findingsMax = 50;
/** How often the records are read until two readings in a row agree on where Redis and Postgres differ, and the pause between. */
const readingsMax = 4;
const pauseMs = 250;

/** All records of a sale, read once, and what they say together. */
export interface Reading {
  records: Records;
  result: Comparison;
}

/** `stable`: two readings agreed on the differences. */
export interface Inspection extends Reading {
  stable: boolean;
}

/**
 * The verdict of a sale from the records alone. They cannot be read at one moment, so they are read in the direction in which
 * things flow (relay, place-order queue, Postgres, sync-stock queue, Redis): what moves meanwhile is counted as under way, or met
 * again further on. What Redis and Postgres differ in counts only if it is still so in the next reading.
 */
@Injectable()
export class AuditSale {
  constructor(
    private readonly postgres: PostgresRecordsStore, private readonly redis: RedisRecordsClient,
    private readonly book: PaymentBook, private readonly queues: QueueInspector,
  ) {}

  /** Null: no such sale. */
  async audit(saleId: string): Promise<AuditView | null> {
    const inspected = await this.inspect(saleId);
    return inspected && view(saleId, inspected);
  }

  /**
   * The comparison behind the verdict. Null: no such sale.
   * @param withBook the provider's book too; it is another's, and large: nobody reads it all the time
   */
  async inspect(saleId: string, withBook = true): Promise<Inspection | null> {
    let before: string | undefined;
    for (let readings = 1; ; readings++) {
      const reading = await this.once(saleId, withBook);
      if (!reading) return null;
      const { records, result } = reading;
      const differences = result.differences.map(({ text }) => text).join('\n');
      const stable = differences === '' || differences === before;
      if (stable || result.settling > 0 || readings === readingsMax) return { records, result, stable };
      before = differences;
      await new Promise((resolve) => { setTimeout(resolve, pauseMs); });
    }
  }

  /** One reading, in which whatever moves looks like a difference. Null: no such sale. */
  async once(saleId: string, withBook: boolean): Promise<Reading | null> {
    const records = await this.read(saleId, withBook);
    return records && { records, result: compare(records) };
  }

  private async read(saleId: string, withBook: boolean): Promise<Records | null> {
    const lanes = await this.postgres.lanes(saleId);
    const early = await Promise.all(lanes.map((lane) => this.redis.lane(saleId, lane)));
    const unjudged = await this.messages('order.place-order', 'order.book-take-back');
    const postgres = await this.postgres.read(saleId);
    if (!postgres) return null;
    const book = withBook ? await this.book.payments(saleId) : 'unreachable';
    const unsynced = await this.messages('seckill.sync-stock');
    const redis = await Promise.all(lanes.map((lane) => this.redis.whole(saleId, lane)));
    return {
      postgres, book,
      relay: Math.max(0, ...early.map((lane) => (lane === 'unreachable' ? 0 : lane.relayLength))),
      messages: unjudged === 'unreachable' || unsynced === 'unreachable' ? 'unreachable' : unjudged + unsynced,
      redis: redis.includes('unreachable') ? 'unreachable' : (redis as RedisLane[]),
    };
  }

  private async messages(...names: QueueName[]): Promise<number | 'unreachable'> {
    try {
      const depths = Object.values(await this.queues.queueDepths(names));
      return depths.reduce((sum, { ready, unsettled }) => sum + ready + unsettled, 0);
    } catch (error) {
      if (error instanceof InfrastructureError) return 'unreachable';
      throw error;
    }
  }
}

function view(saleId: string, { records, result, stable }: Inspection): AuditView {
  const { items, oversold, duplicated, unexplained, faults, differences } = result;
  // Differences that never held still are things under way that no count has caught.
  const settling = result.settling + (stable ? 0 : differences.length);
  const readable = records.redis !== 'unreachable' && records.book !== 'unreachable' && records.messages !== 'unreachable';
  const lost = settling > 0 ? 0 : result.lost;
  const wrong = oversold + lost + duplicated + unexplained + faults.length + differences.length > 0;
  const { postgres, book } = records;
  const payments = book === 'unreachable' ? postgres.payments
    : { captured: book.filter((payment) => payment.captured > 0).length, refunded: book.filter((payment) => payment.refunded > 0).length };
  return {
    verdict: settling > 0 || !readable ? 'unknown' : wrong ? 'broken' : 'clean',
    saleId, asOf: isoTime(postgres.asOf.getTime()), settling, oversold, lost, duplicated, unexplained,
    redisEqualsPostgres: records.redis !== 'unreachable' && differences.length === 0,
    items, payments, findings: [...faults, ...differences.map(({ text }) => text), ...result.open].slice(0, findingsMax),
  };
}
