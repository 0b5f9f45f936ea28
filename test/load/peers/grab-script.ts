import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { perUserMax, settings, type GrabAnswer, type GrabRequest } from './grab.js';

/** Redis with the script of a grab as a command: EVALSHA, and the text only where Redis does not know it. */
export class GrabScript {
  private readonly redis: Redis;

  constructor(options: { enableAutoPipelining: boolean }) {
    this.redis = new Redis(settings.redisUrl, options);
    this.redis.defineCommand('grab', { numberOfKeys: 2, lua: readFileSync(path.join(import.meta.dirname, 'grab.lua'), 'utf8') });
  }

  async grab({ userId, itemId }: GrabRequest): Promise<GrabAnswer['word']> {
    const redis = this.redis as Redis & { grab(...args: (string | number)[]): Promise<GrabAnswer['word']> };
    return await redis.grab(`${settings.name}:stock:${itemId}`, `${settings.name}:buyers:${itemId}`, userId, perUserMax);
  }
}
