import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { crashPoints, type CrashPoint, type CrashPointRow } from '@floodgate/platform';
import { Api, expectStatus } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startPlatform, type Platform } from '../support/platform.js';
import { live, persist, stories, type Won } from '../support/stories.js';

/** Every border that the order service crosses, in the order of the table. */
const points = Object.entries<CrashPointRow>(crashPoints).filter(([, row]) => row.service !== 'seckill' && row.hitBy === undefined).map(([point]) => point as CrashPoint);
/** What happens all the time is hit in the middle of the round rather than by its first message. */
const nth = (point: CrashPoint): number => (crashPoints[point].service === 'any' || point.startsWith('saga.') ? 4 : 1);

/** Two sales of one item each: one that is withdrawn in the end, and one whose unpaid orders time out. */
interface Pair {
  withdrawn: Sale;
  expiring: Sale;
}
interface Sale {
  id: string;
  itemId: string;
}
/** One kill, and what came of the two sales that it hit. Resolves when every buyer's story and the withdrawal are over. */
interface Round extends Pair {
  point: CrashPoint;
  over: Promise<{ withdrawn: Won[]; expiring: Won[] }>;
}

const unitsWithdrawn = stories.length;
const unitsExpiring = 3;
const insisting = 5;
const armTogether = 6;

describe('promise: an order service that is killed at any border costs nobody anything', () => {
  let platform: Platform;
  let api: Api;
  const pairs = new Map<CrashPoint, Pair>();
  const rounds: Round[] = [];
  beforeAll(async () => {
    platform = await startPlatform({ crashes: true, retryDelaysMs: [200, 500, 1_000, 2_000] });
    api = new Api(platform.run);
    // Beforehand, so that a round is not kept waiting by the arming of its sales.
    for (let at = 0; at < points.length; at += armTogether) {
      await Promise.all(points.slice(at, at + armTogether).map(async (point) => {
        const [withdrawn, expiring] = await Promise.all([sale(unitsWithdrawn, 600), sale(unitsExpiring, 2)]);
        pairs.set(point, { withdrawn, expiring });
      }));
    }
  });
  afterAll(() => platform?.stop());

  async function sale(quota: number, paymentWindowSeconds: number): Promise<Sale> {
    const { id, items } = await api.armedSale([{ quota }], { paymentWindowSeconds, closesAt: new Date(Date.now() + 3_600_000).toISOString() });
    return { id, itemId: items[0]!.id };
  }

  /** All stories at once, on both sales; then one of them is withdrawn. */
  async function play({ withdrawn, expiring }: Pair): Promise<{ withdrawn: Won[]; expiring: Won[] }> {
    const bought = Promise.all(stories.map((story) => live(api, withdrawn.id, withdrawn.itemId, story)));
    // More buyers than units, who try again and again: what one gives back the next one gets.
    const insisted = Promise.all(Array.from({ length: insisting }, (_, n) => live(api, expiring.id, expiring.itemId, n % 2 === 0 ? 'begins-to-pay' : 'leaves', { insists: true })));
    insisted.catch(() => undefined); // awaited below
    const winners = await bought;
    await persist(() => api.admin('operator', 'POST', `/sales/${withdrawn.id}/withdraw`), ({ status, body }) => status === 200 || body.state === 'WITHDRAWN');
    return { withdrawn: winners.filter((won) => won !== null), expiring: (await insisted).filter((won) => won !== null) };
  }

  const internal = (service: string, page: string) => fetch(`${platform.run.services.find(({ name }) => name === service)!.internalUrl}${page}`);

  async function begin(point: CrashPoint): Promise<Round> {
    const pair = pairs.get(point)!;
    await eventually(async () => {
      expect((await internal('order', '/readyz')).status).toBe(200);
      // A Redis that is not rebuilt yet from a kill before would be rebuilt once for both.
      expect(await (await internal('seckill', '/metrics')).text()).toMatch(/^floodgate_lanes_closed(\{[^}]*\})? 0$/m);
    }, { timeoutMs: 60_000 });
    await platform.crashes.arm('order', point, nth(point));
    if (point.startsWith('rebuild.')) process.kill(platform.run.redis.pid, 'SIGKILL');
    const over = play(pair);
    over.catch(() => undefined); // awaited at the end
    return { ...pair, point, over };
  }

  it.each(points)('SIGKILL at %s', async (point) => {
    const before = platform.crashes.hits(point);
    rounds.push(await begin(point));
    await eventually(() => expect(platform.crashes.hits(point)).toBeGreaterThan(before), { timeoutMs: 90_000 });
  });

  it('and every sale ends clean, with every buyer told the truth, every payment given back once, every unit sold again', async () => {
    for (const { point, withdrawn, expiring, over } of rounds) {
      const won = await over;
      expect({ point, insisted: won.expiring.length }).toEqual({ point, insisted: insisting });
      await eventually(async () => {
        expect({ point, ...expectStatus(200, await api.admin('operator', 'GET', `/sales/${withdrawn.id}/withdrawal`)) }).toMatchObject({ point, open: 0, refunding: 0, done: true });
        expect({ point, ...(await api.audit(withdrawn.id)) }).toMatchObject({ point, verdict: 'clean', items: [{ held: 0, sold: 0, available: unitsWithdrawn, redisAvailable: unitsWithdrawn }] });
        expect({ point, ...(await api.audit(expiring.id)) }).toMatchObject({ point, verdict: 'clean', items: [{ held: 0, sold: 0, available: unitsExpiring, redisAvailable: unitsExpiring }] });
      }, { timeoutMs: 120_000 });
      for (const { buyer, id, story } of [...won.withdrawn, ...won.expiring]) {
        const told = expectStatus(200, await buyer.reservation(id));
        expect({ point, story, state: told.state, terminal: told.terminal }).toEqual({ point, story, state: 'RELEASED', terminal: true });
      }
    }
    const { items } = expectStatus(200, await api.admin('operator', 'GET', '/sagas?state=stuck&limit=100'));
    expect(items).toEqual([]);
  });

  it('and every point was hit', () => {
    const table = points.map((point) => [point, platform.crashes.hits(point)] as const);
    process.stderr.write(`${table.map(([point, hits]) => `${point.padEnd(26)} ${hits}`).join('\n')}\n`);
    expect(table.filter(([, hits]) => hits === 0)).toEqual([]);
  });
});
