import { Redis } from 'ioredis';
import { GrabScript } from '../peers/grab-script.js';
import { settings as peer } from '../peers/grab.js';
import { beMeasured, settings } from './program.js';

/** The script of the tutorial, one grab a call. */
const redis = new Redis(settings.redisUrl);
await redis.set(`${peer.name}:stock:item`, settings.units);
const script = new GrabScript({ enableAutoPipelining: false });
const word = settings.units > 0 ? 'reserved' : 'sold-out';

await beMeasured(256, async (nth) => {
  const said = await script.grab({ userId: `bench-${nth % 4_000}`, requestId: `k${nth}`, itemId: 'item' });
  if (said !== word) throw new Error(`${word} was expected, not ${said}`);
  return 1;
}, () => redis.unlink(`${peer.name}:stock:item`, `${peer.name}:buyers:item`));
