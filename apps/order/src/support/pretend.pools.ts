import { accept, refuse, type Answer, type Ask, type DispensedCodes } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { Controller } from '@nestjs/common';

interface PretendPool {
  free: number[];
  load: string;
  upTo: number;
}

type Given = Extract<DispensedCodes, { word: 'issued' }>['items'];

/** What Redis would have: by item, and by order. Open to a test that makes it forget, or makes it wrong. */
export const pools = { items: new Map<string, PretendPool>(), given: new Map<string, Given>(), away: false, loads: 0 };

const poolOf = (itemId: string): PretendPool => {
  const pool = pools.items.get(itemId) ?? { free: [], load: '', upTo: 0 };
  pools.items.set(itemId, pool);
  return pool;
};

/** Seckill's code pools with maps for Redis; the scripts have tests of their own. */
@Controller()
export class PretendPools {
  @Answers('issue-codes')
  issue({ orders }: Ask<'issue-codes'>): Answer<'issue-codes'> {
    if (pools.away) return refuse('UNAVAILABLE', 'redis is away');
    return accept(orders.map(({ rid, items }): DispensedCodes => {
      const before = pools.given.get(rid);
      if (before) return { rid, word: 'issued', items: before };
      const short = items.find(({ itemId, quantity }) => poolOf(itemId).free.length < quantity);
      if (short) {
        const { load, upTo } = poolOf(short.itemId);
        return { rid, word: 'short', itemId: short.itemId, pool: { load, upTo } };
      }
      const given = items.map(({ itemId, quantity }) => ({ itemId, codeIds: poolOf(itemId).free.splice(0, quantity) }));
      pools.given.set(rid, given);
      return { rid, word: 'issued', items: given };
    }));
  }

  @Answers('load-codes')
  load({ itemId, mode, load, after, upTo, codeIds }: Ask<'load-codes'>): Answer<'load-codes'> {
    const pool = poolOf(itemId);
    if (mode === 'append' && (pool.load !== load || pool.upTo !== after)) return accept('stale');
    pools.loads++;
    pools.items.set(itemId, { load, upTo, free: mode === 'anew' ? [...codeIds] : [...pool.free, ...codeIds] });
    return accept('loaded');
  }

  @Answers('settle-codes')
  settle({ orders }: Ask<'settle-codes'>): Answer<'settle-codes'> {
    for (const { rid, what } of orders) {
      if (what === 'return') for (const { itemId, codeIds } of pools.given.get(rid) ?? []) poolOf(itemId).free.unshift(...codeIds);
      pools.given.delete(rid);
    }
    return accept('settled');
  }
}
