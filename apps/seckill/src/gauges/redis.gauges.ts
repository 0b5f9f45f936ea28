import { createLogger, errorText, Shutdown } from '@floodgate/platform';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Redis } from 'ioredis';
import { RedisClock } from '../fence/redis.clock.js';
import { RedisLink } from '../fence/redis.link.js';
import { clockSkewSeconds, redisDelayedFsyncs, redisEvictedKeys, redisLogFailed, redisMayEvict, redisMemoryBytes, redisUp } from '../metrics.js';

/** INFO costs Redis a tenth of a millisecond. */
const EVERY_MS = 5_000;

/** How the Redis server itself is, read from it every few seconds. While it does not answer only that is shown. */
@Injectable()
export class RedisGauges implements OnApplicationBootstrap {
  private readonly logger = createLogger('redis-gauges');
  private info: ReadonlyMap<string, string> | null = null;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();

  constructor(private readonly redis: Redis, private readonly link: RedisLink, private readonly clock: RedisClock, shutdown: Shutdown) {
    shutdown.onDrain('redis gauges', async () => {
      clearInterval(this.timer);
      await this.looking;
    });
    this.show();
  }

  onApplicationBootstrap(): void {
    this.looking = this.look();
    this.timer = setInterval(() => { this.looking = this.look(); }, EVERY_MS);
  }

  private show(): void {
    const one = (value: (info: ReadonlyMap<string, string>) => number) => () => (this.info ? [[{}, value(this.info)] as const] : []);
    redisUp.read = () => [[{}, Number(this.info !== null && this.link.up)]];
    redisMemoryBytes.read = () => (this.info ? [[{ kind: 'used' }, Number(this.info.get('used_memory'))], [{ kind: 'limit' }, Number(this.info.get('maxmemory'))]] : []);
    redisEvictedKeys.read = one((info) => Number(info.get('evicted_keys')));
    redisMayEvict.read = one((info) => Number(info.get('maxmemory_policy') !== 'noeviction'));
    redisLogFailed.read = one((info) => Number(info.get('aof_enabled') !== '1' || info.get('aof_last_write_status') !== 'ok'));
    redisDelayedFsyncs.read = one((info) => Number(info.get('aof_delayed_fsync') ?? 0));
    clockSkewSeconds.read = () => (this.info && this.clock.now() > 0 ? [[{ server: 'redis' }, (this.clock.now() - Date.now()) / 1_000]] : []);
  }

  private async look(): Promise<void> {
    try {
      const text = await this.redis.info();
      this.info = new Map([...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name, value]) => [name!, value!]));
    } catch (error) {
      this.info = null;
      this.logger.debug(errorText(error));
    }
  }
}
