import { accept, refuse, type Answer, type Ask, type RedisRow } from '@floodgate/contracts';
import { Answers, Consume, type DeliveryOf } from '@floodgate/platform';
import { Controller } from '@nestjs/common';

interface PretendLane {
  allotments: Map<string, number>;
  rows: Map<string, RedisRow>;
  relayLength: number;
}

/** What seckill would know of each lane, by sale: kept up by the syncs, and open to a test that makes it wrong. One lane per sale. */
export const pretendLanes = new Map<string, PretendLane>();

/** Seckill with a table for Redis: answers the audit, and takes the syncs by version. */
@Controller()
export class PretendSeckill {
  @Consume('seckill.sync-stock')
  async sync(messages: DeliveryOf<'seckill.sync-stock'>[]): Promise<void> {
    for (const { body: { saleId, rows } } of messages) {
      const lane = pretendLanes.get(saleId);
      for (const row of rows) if (row.version > (lane?.rows.get(row.rid)?.version ?? 0)) lane?.rows.set(row.rid, row);
    }
  }

  @Answers('audit-lane')
  auditLane({ saleId }: Ask<'audit-lane'>): Answer<'audit-lane'> {
    const lane = pretendLanes.get(saleId);
    if (!lane) return refuse('NOT_FOUND', 'no such lane');
    const held = (itemId: string) => [...lane.rows.values()].filter((row) => row.holds).flatMap((row) => row.items)
      .reduce((sum, item) => sum + (item.itemId === itemId ? item.quantity : 0), 0);
    const stock = [...lane.allotments].map(([itemId, allotment]) => ({ itemId, available: allotment - held(itemId), unsettled: 0 }));
    return accept({ epoch: 1, selling: true, stock, relayLength: lane.relayLength, reservations: lane.rows.size });
  }

  /** Two pages, the second of which repeats a row, as Redis may. */
  @Answers('list-holds')
  listHolds({ saleId, cursor }: Ask<'list-holds'>): Answer<'list-holds'> {
    const rows = [...(pretendLanes.get(saleId)?.rows.values() ?? [])];
    return accept(cursor === '0' ? { rows: rows.slice(0, 2), cursor: '7' } : { rows: rows.slice(1), cursor: null });
  }
}
