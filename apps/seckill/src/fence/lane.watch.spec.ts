import { describe, expect, it } from '@jest/globals';
import type { Publisher } from '@floodgate/platform';
import type { Fence } from './fence.js';
import type { LaneList } from './lane.list.js';
import { Lane, type LaneRegistry } from './lane.registry.js';
import { LaneWatch } from './lane.watch.js';
import type { RedisLink } from './redis.link.js';

const ordered = (epoch: number, loadedEpoch: number) => ({ epoch, loadedEpoch, version: 1, state: 'ARMED' as const, closesAtMs: 0 });

/** One round over a lane that Redis has lost; `meanwhile` happens while Redis is being looked at. */
async function askedIn(lane: Lane, meanwhile: () => void): Promise<unknown[]> {
  const asked: unknown[] = [];
  const fence = { whenInDoubt: () => undefined, look: async () => meanwhile() } as unknown as Fence;
  const publisher = { publish: async (_queue: string, { seen }: { seen: unknown[] }) => void asked.push(...seen) } as unknown as Publisher;
  const list = { known: true, refresh: () => undefined } as unknown as LaneList;
  await new LaneWatch({ up: true } as RedisLink, fence, list, { all: () => [lane] } as unknown as LaneRegistry, publisher).round();
  return asked;
}

describe('a lane that Redis has lost', () => {
  it('is asked for at the epoch at which it was loaded', async () => {
    const lane = new Lane('S', 0);
    lane.heard(ordered(1, 1));
    expect(await askedIn(lane, () => undefined)).toEqual([{ saleId: 'S', lane: 0, epoch: 1 }]);
  });

  it('is not asked for at the next one, which another process had ordered meanwhile: that would supersede its load', async () => {
    const lane = new Lane('S', 0);
    lane.heard(ordered(1, 1));
    expect(await askedIn(lane, () => lane.heard(ordered(2, 1)))).toEqual([{ saleId: 'S', lane: 0, epoch: 1 }]);
  });
});
