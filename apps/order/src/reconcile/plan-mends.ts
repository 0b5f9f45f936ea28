import { mends, type Allotment, type DifferenceView, type ItemQuantity, type Mend, type RecalledRow } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import type { Drift, DriftKind } from './compare.js';
import type { LaneAllotment, LaneRow } from './sync-row.store.js';

export type Difference = DifferenceView & { kind: DriftKind };

/** Redis's side of one lane: by reservation, and by item. */
export interface LaneEvidence {
  rows: ReadonlyMap<string, RecalledRow>;
  allotments: ReadonlyMap<string, Allotment>;
  available: ReadonlyMap<string, number>;
}

/** What both sides have on record of the places where they differ, read after the comparison. */
export interface Evidence {
  redis: ReadonlyMap<number, LaneEvidence>;
  /** By reservation. */
  postgres: ReadonlyMap<string, LaneRow>;
  allotments: readonly (LaneAllotment & { free: number })[];
  /** Postgres's own counters, ledger and orders do not add up. */
  contradictory: boolean;
}

interface Plan { mend: Mend; lane: number | null; redis: string; postgres: string }

/** What would mend each difference. One that the evidence no longer shows has ended by itself, and is left out. */
export function planMends(drifts: readonly Drift[], evidence: Evidence): Difference[] {
  return drifts.flatMap((drift) => {
    const plan = plans[drift.kind](drift, evidence, drifts);
    return plan ? [{ kind: drift.kind, subject: drift.subject, ...plan, advice: mends[plan.mend] }] : [];
  });
}

/** A reservation goes by versions: Redis takes Postgres's word if that is newer, and never anything else. */
const plans: Record<DriftKind, (drift: Drift, evidence: Evidence, all: readonly Drift[]) => Plan | null> = {
  'in-two-lanes': ({ subject: rid, lane }, evidence) => {
    const held = [...evidence.redis].flatMap(([lane, { rows }]) => (rows.has(rid) ? [`lane ${lane}: ${rowText(rows.get(rid))}`] : []));
    const order = evidence.postgres.get(rid);
    // The lane that Postgres does not have it in is the wrong one.
    const wrong = order ? [...evidence.redis].find(([lane, { rows }]) => lane !== order.lane && rows.has(rid))?.[0] : lane;
    return held.length > 1 ? { mend: 'reload', lane: wrong ?? lane, redis: held.join('; '), postgres: order ? `lane ${order.lane}: ${rowText(order)}` : rowText(order) } : null;
  },
  'no-order': ({ subject: rid, lane }, evidence) => {
    const [row, order] = [redisRow(evidence, lane, rid), evidence.postgres.get(rid)];
    if (!row?.holds || order) return null;
    return { mend: row.version > 0 ? 'operator' : row.overdue ? 'republish' : 'wait', lane, redis: rowText(row), postgres: rowText(order) };
  },
  'held-in-redis': byVersion, 'held-in-postgres': byVersion,
  'not-in-redis': ({ subject: rid }, evidence) => {
    const order = evidence.postgres.get(rid);
    return order?.holds ? { mend: 'resend', lane: order.lane, redis: 'nothing', postgres: rowText(order) } : null;
  },
  available: ({ subject: itemId, lane }, evidence, all) => {
    const told = evidence.redis.get(lane!)?.allotments.get(itemId);
    const allotment = evidence.allotments.find((one) => one.lane === lane && one.itemId === itemId);
    const available = evidence.redis.get(lane!)?.available.get(itemId);
    if (!allotment || available === allotment.free) return null;
    const redis = `${available ?? 'nothing'} available, ${told ? `${told.allotment} in all (version ${told.version})` : 'never told how many in all'}`;
    const postgres = `${allotment.free} free, ${allotment.allotment} in all (version ${allotment.version})`;
    return { mend: counterMend(available, told, allotment, heldMore(itemId, lane!, evidence, all), evidence), lane, redis, postgres };
  },
};

function byVersion({ subject: rid, lane }: Drift, evidence: Evidence): Plan | null {
  const [row, order] = [redisRow(evidence, lane, rid), evidence.postgres.get(rid)];
  if (!row || !order || row.holds === order.holds) return null;
  return { mend: order.version > row.version && order.lane === lane ? 'resend' : 'reload', lane, redis: rowText(row), postgres: rowText(order) };
}

/** @param heldMore units of the item that Redis has on record as held beyond those of Postgres */
function counterMend(available: number | undefined, told: Allotment | undefined, allotment: Allotment & { free: number }, heldMore: number, { contradictory }: Evidence): Mend {
  if (contradictory || (told && told.version > allotment.version)) return 'operator';
  if (available === undefined || !told) return 'recount';
  if (allotment.version > told.version) return 'resend';
  const explained = told.allotment === allotment.allotment && available === allotment.free - heldMore;
  return explained ? 'with-others' : 'recount';
}

function heldMore(itemId: string, lane: number, evidence: Evidence, all: readonly Drift[]): number {
  const units = (items: readonly ItemQuantity[]): number => items.reduce((sum, item) => sum + (item.itemId === itemId ? item.quantity : 0), 0);
  const rids = new Set(all.filter(({ kind }) => kind !== 'available').map(({ subject }) => subject));
  return [...rids].reduce((sum, rid) => {
    const [row, order] = [redisRow(evidence, lane, rid), evidence.postgres.get(rid)];
    return sum + (row?.holds ? units(row.items) : 0) - (order?.holds && order.lane === lane ? units(order.items) : 0);
  }, 0);
}

const redisRow = (evidence: Evidence, lane: number | null, rid: string): RecalledRow | undefined => (lane === null ? undefined : evidence.redis.get(lane)?.rows.get(rid));

function rowText(row: RecalledRow | LaneRow | undefined): string {
  if (!row) return 'nothing';
  const units = row.items.reduce((sum, { quantity }) => sum + quantity, 0);
  const spoken = row.version === 0 ? 'version 0 (not spoken of)' : `version ${row.version}`;
  return `${spoken}, ${row.holds ? `holds ${units}` : 'holds nothing'}, reserved ${isoTime(row.reservedAtMs)}`;
}
