import { accept, refuse, stockAccount, type Answer, type Ask, type RedisRow } from '@floodgate/contracts';
import { Answers, Consume, type DeliveryOf } from '@floodgate/platform';
import { Controller } from '@nestjs/common';

interface PretendLane {
  allotments: Map<string, number>;
  rows: Map<string, RedisRow>;
  relayLength: number;
  versions?: Map<string, number>;
  /** What becomes of take-backs: the answer gets lost before or after the units are held. */
  holding?: 'lost-before' | 'lost-after';
}

/** What seckill would know of each lane, by sale: kept up by the syncs, and open to a test that makes it wrong. One lane per sale. */
export const pretendLanes = new Map<string, PretendLane>();

/** Seckill with a table for Redis: answers the audit, and takes the syncs by version. */
@Controller()
export class PretendSeckill {
  @Consume('seckill.sync-stock')
  async sync(messages: DeliveryOf<'seckill.sync-stock'>[]): Promise<void> {
    for (const { body: { saleId, rows, allotments = [] } } of messages) {
      const lane = pretendLanes.get(saleId);
      for (const { itemId, allotment, version } of allotments) {
        if (!lane || version <= (lane.versions?.get(itemId) ?? 0)) continue;
        lane.allotments.set(itemId, allotment);
        (lane.versions ??= new Map()).set(itemId, version);
      }
      for (const row of rows) if (row.version > (lane?.rows.get(row.rid)?.version ?? 0)) lane?.rows.set(row.rid, row);
    }
  }

  @Answers('hold-take-back')
  hold({ saleId, rid, itemId, quantity }: Ask<'hold-take-back'>): Answer<'hold-take-back'> {
    const lane = pretendLanes.get(saleId);
    if (!lane) return { result: { word: 'unavailable' } };
    if (lane.holding === 'lost-before') return { result: { word: 'outcome-unknown' } };
    const known = lane.rows.get(rid);
    const admission = { number: known?.number ?? lane.rows.size + 1, reservedAtMs: known?.reservedAtMs ?? Date.now() };
    const remaining = (lane.allotments.get(itemId) ?? 0) - heldOf(lane, itemId);
    if (known && known.items[0]?.quantity !== quantity) return { result: { word: 'key-reused' } };
    if (!known && remaining < quantity) return { result: { word: 'sold-out', itemId, remaining, mayReturn: false } };
    if (!known) lane.rows.set(rid, { rid, accountId: stockAccount, ipHash: '', items: [{ itemId, quantity }], ...admission, version: 0, holds: true, settled: false });
    return { result: lane.holding === 'lost-after' ? { word: 'outcome-unknown' } : { word: known ? 'replayed' : 'reserved', ...admission } };
  }

  @Answers('audit-lane')
  auditLane({ saleId }: Ask<'audit-lane'>): Answer<'audit-lane'> {
    const lane = pretendLanes.get(saleId);
    if (!lane) return refuse('NOT_FOUND', 'no such lane');
    const stock = [...lane.allotments].map(([itemId, allotment]) => ({ itemId, available: allotment - heldOf(lane, itemId), unsettled: 0 }));
    return accept({ epoch: 1, selling: true, stock, relayLength: lane.relayLength, reservations: lane.rows.size });
  }

  /** Two pages, the second of which repeats a row, as Redis may. */
  @Answers('list-holds')
  listHolds({ saleId, cursor }: Ask<'list-holds'>): Answer<'list-holds'> {
    const rows = [...(pretendLanes.get(saleId)?.rows.values() ?? [])];
    return accept(cursor === '0' ? { rows: rows.slice(0, 2), cursor: '7' } : { rows: rows.slice(1), cursor: null });
  }
}

const heldOf = (lane: PretendLane, itemId: string): number => [...lane.rows.values()].filter((row) => row.holds).flatMap((row) => row.items)
  .reduce((sum, item) => sum + (item.itemId === itemId ? item.quantity : 0), 0);
