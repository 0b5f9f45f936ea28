import { accept, refuse, type Outcome, type ReconciliationView } from '@floodgate/contracts';
import { Database, isoTime } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { setTimeout as wait } from 'node:timers/promises';
import { AuditSale, type Reading } from './audit-sale.js';
import { itemFaults, type Drift } from './compare.js';
import { DifferenceMender } from './difference.mender.js';
import { planMends, type Difference, type Evidence, type LaneEvidence } from './plan-mends.js';
import { RedisRecordsClient, type RedisLane } from './redis-records.client.js';
import { SyncRowStore } from './sync-row.store.js';

/** More are counted, and come into view when these are mended. */
const differencesMax = 500;
/** Two readings this far apart must agree on a difference: what moves is under way. */
const betweenReadingsMs = 250;
/** How long what was sent may take until it shows. */
const effectWithinMs = 15_000;
const lookAgainMs = 500;

/** Where Redis and Postgres differ by the audit's own comparison, what would mend each difference, and the mending of those that can be mended by saying something again. */
@Injectable()
export class ReconcileSale {
  constructor(
    private readonly audit: AuditSale, private readonly database: Database, private readonly rows: SyncRowStore,
    private readonly redis: RedisRecordsClient, private readonly mender: DifferenceMender,
  ) {}

  /** Refusals: NOT_FOUND, UNAVAILABLE where one of the records cannot be read: then nothing is known of any difference. */
  async list(saleId: string): Promise<Outcome<ReconciliationView>> {
    const first = await this.audit.once(saleId, false);
    if (!first) return refuse('NOT_FOUND', 'There is no such sale, or it was never approved.');
    if (!isReadable(first)) return unreadable();
    if (first.result.differences.length === 0) return accept(view(saleId, first, [], 0));
    await wait(betweenReadingsMs);
    const second = await this.audit.once(saleId, false);
    if (!second || !isReadable(second)) return unreadable();
    const before = new Set(first.result.differences.map(({ text }) => text));
    const standing = second.result.differences.filter(({ text }) => before.has(text));
    const shown = standing.slice(0, differencesMax);
    const evidence = await this.evidence(saleId, shown, second);
    return evidence === 'unreachable' ? unreadable() : accept(view(saleId, second, planMends(shown, evidence), standing.length - shown.length));
  }

  /** Mends what can be, and says what is left when that has had its effect. Refusals as of {@link list}, with nothing changed. */
  async fix(saleId: string, by: { accountId: string; reason: string }): Promise<Outcome<ReconciliationView>> {
    const found = await this.list(saleId);
    if (!found.ok) return found;
    const mended = await this.mender.mend(saleId, found.value.differences as Difference[], by);
    const sent = new Set(mended.map(nameOf));
    const deadline = performance.now() + effectWithinMs;
    for (;;) {
      const left = await this.list(saleId);
      // What was sent was sent, whether or not anybody can say now what came of it.
      if (!left.ok) return refuse('UNAVAILABLE', `${mended.length} differences were mended, but what is left cannot be read now.`, { outcome: 'unknown' });
      const { differences } = left.value;
      const underWay = differences.some((one) => sent.has(nameOf(one))) || (differences.length > 0 && differences.every(({ mend }) => mend === 'with-others'));
      if (!underWay || sent.size === 0 || performance.now() > deadline) return accept({ ...left.value, mended });
      await wait(lookAgainMs);
    }
  }

  private async evidence(saleId: string, drifts: readonly Drift[], { records }: Reading): Promise<Evidence | 'unreachable'> {
    const rids = [...new Set(drifts.filter(({ kind }) => kind !== 'available').map(({ subject }) => subject))];
    const redis = new Map<number, LaneEvidence>();
    for (const { lane, record } of records.redis as RedisLane[]) {
      const recalled = await this.redis.recall(saleId, lane, rids);
      if (recalled === 'unreachable') return recalled;
      redis.set(lane, {
        rows: new Map(recalled.rows.map((row) => [row.rid, row])), allotments: new Map(recalled.allotments.map((one) => [one.itemId, one])),
        available: new Map(record.stock.map(({ itemId, available }) => [itemId, available])),
      });
    }
    const free = new Map(records.postgres.free.map((one) => [`${one.lane}/${one.itemId}`, one.free]));
    return {
      redis, postgres: new Map((await this.rows.ofReservations(this.database, saleId, rids)).map((row) => [row.rid, row])),
      allotments: (await this.rows.allotments(this.database, saleId)).map((one) => ({ ...one, free: free.get(`${one.lane}/${one.itemId}`) ?? 0 })),
      contradictory: records.postgres.contradictions.length > 0 || records.postgres.items.some((item) => itemFaults(item).length > 0),
    };
  }
}

const isReadable = ({ records }: Reading): boolean => records.redis !== 'unreachable' && records.messages !== 'unreachable';
const unreadable = () => refuse('UNAVAILABLE', 'Redis or the queues cannot be read now: nobody knows what differs.');
const nameOf = ({ kind, subject, lane }: { kind: string; subject: string; lane: number | null }): string => `${kind} ${subject} ${lane}`;

const view = (saleId: string, { records, result }: Reading, differences: Difference[], more: number): ReconciliationView =>
  ({ saleId, asOf: isoTime(records.postgres.asOf.getTime()), settling: result.settling, mended: [], differences, more });
