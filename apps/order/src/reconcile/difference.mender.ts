import type { MessageBody } from '@floodgate/contracts';
import { createLogger, Database, hashForLog, Outbox, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { AdminActs } from '../audit-log/admin-acts.js';
import type { Difference } from './plan-mends.js';
import { RedisRecordsClient } from './redis-records.client.js';
import { SyncRowStore } from './sync-row.store.js';

/** Rows of one message: Redis applies so many in one script, and a row that gives back what shrank an allotment must come in one with it. */
const rowsMax = 200;
/** Subjects that the audit log names of each sort. */
const namedMax = 100;

/**
 * Mends by saying again what was said before, and in no other way: a reservation to its judge, or Postgres's word with its version to
 * Redis. Whoever has heard it already passes over it, so doing it twice, or while the first is still under way, changes nothing.
 */
@Injectable()
export class DifferenceMender {
  private readonly log = createLogger('reconcile');

  constructor(
    private readonly database: Database, private readonly rows: SyncRowStore, private readonly redis: RedisRecordsClient,
    private readonly outbox: Outbox, private readonly acts: AdminActs,
  ) {}

  /** Returns those that were sent. Also an attempt that finds nothing to mend is on record. */
  async mend(saleId: string, found: readonly Difference[], by: { accountId: string; reason: string }): Promise<Difference[]> {
    const [resend, republish] = [found.filter(({ mend }) => mend === 'resend'), found.filter(({ mend }) => mend === 'republish')];
    await this.database.transaction(async (tx) => {
      await this.resend(tx, saleId, resend);
      const after = { resend: named(resend), republish: named(republish) };
      await this.acts.note(tx, { accountId: by.accountId, action: 'reconcile', subject: saleId, reason: by.reason, before: { differences: counted(found) }, after });
    });
    const confirmed = new Set<string>();
    for (const [lane, differences] of byLane(republish)) {
      for (const rid of await this.redis.republish(saleId, lane, differences.map(({ subject }) => subject))) confirmed.add(rid);
    }
    const mended = [...resend, ...republish.filter(({ subject }) => confirmed.has(subject))];
    this.log.info({ saleId, actor: hashForLog(by.accountId), found: found.length, mended: mended.length }, 'differences between Redis and Postgres were mended');
    return mended;
  }

  /** What Postgres says now, which may be newer than what was compared; never anything that it does not say. */
  private async resend(tx: Transaction, saleId: string, differences: readonly Difference[]): Promise<void> {
    if (differences.length === 0) return;
    const rows = await this.rows.ofReservations(tx, saleId, differences.filter(({ kind }) => kind !== 'available').map(({ subject }) => subject));
    const allotments = (await this.rows.allotments(tx, saleId)).filter(({ version }) => version > 0);
    const changed = new Set(differences.filter(({ kind }) => kind === 'available').map(({ lane, subject }) => `${lane}/${subject}`));
    const bodies: MessageBody<'sync-stock'>[] = [];
    for (const lane of new Set([...rows, ...differences].flatMap(({ lane }) => lane ?? []))) {
      const own = rows.filter((row) => row.lane === lane).map(({ lane: _lane, ...row }) => row);
      const told = allotments.filter((one) => one.lane === lane && (changed.has(`${lane}/${one.itemId}`) || own.some(({ items }) => items.some(({ itemId }) => itemId === one.itemId))));
      for (let from = 0; from < Math.max(own.length, 1); from += rowsMax) {
        bodies.push({ saleId, lane, rows: own.slice(from, from + rowsMax), allotments: told.map(({ itemId, version, allotment }) => ({ itemId, version, allotment })) });
      }
    }
    await this.outbox.add(tx, 'sync-stock', bodies.filter(({ rows, allotments = [] }) => rows.length + allotments.length > 0));
  }
}

function byLane(differences: readonly Difference[]): Map<number, Difference[]> {
  const lanes = new Map<number, Difference[]>();
  for (const difference of differences) {
    if (difference.lane !== null) lanes.set(difference.lane, [...(lanes.get(difference.lane) ?? []), difference]);
  }
  return lanes;
}

function counted(differences: readonly Difference[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of differences) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

const named = (differences: readonly Difference[]) => ({ count: differences.length, subjects: differences.slice(0, namedMax).map(({ subject }) => subject) });
