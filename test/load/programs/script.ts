import { once } from 'node:events';
import { createRedis } from '@floodgate/platform';
import { LaneFixture } from '../../../apps/seckill/src/support/lane.fixture.js';
import { beMeasured, settings } from './program.js';

/** The script that decides who wins, as seckill calls it, with so many attempts a call. */
const redis = createRedis(settings.redisUrl, { name: 'bench' });
await once(redis, 'ready');
const lane = new LaneFixture(redis);
const { vector, units } = settings;
await lane.load({ items: [{ itemId: lane.item(1), allotment: units, perAccount: 1_000_000 }] });

const word = units > 0 ? 'reserved' : 'sold-out';
const buyers = 4_000;
const attempts = Array.from({ length: buyers }, (_, nth) => lane.attempt(`bench-${nth}`, 'k'));

// As many at once as 256 buyers are, or two vectors, which is what a gateway has under way.
await beMeasured(vector === 1 ? 256 : 2, async (call) => {
  const asked = Array.from({ length: vector }, (_, index) => {
    const nth = call * vector + index;
    return { ...attempts[nth % buyers]!, rid: `${lane.saleId}.${String(nth).padStart(22, '0')}` };
  });
  const words = await lane.words(...asked);
  if (words.some((one) => one !== word)) throw new Error(`${word} was expected, not ${words.find((one) => one !== word)}`);
  return words.length;
}, () => redis.unlink(...Object.values(lane.keys)));
