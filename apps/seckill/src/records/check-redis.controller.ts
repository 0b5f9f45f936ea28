import { accept, refuse, type Answer } from '@floodgate/contracts';
import { Answers, createLogger, errorText } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { Redis } from 'ioredis';

/** How Redis is set up, for the checklist before a sale is armed. From INFO: managed servers often refuse CONFIG. */
@Controller()
export class CheckRedisController {
  private readonly logger = createLogger('check-redis');

  constructor(private readonly redis: Redis) {}

  @Answers('check-redis')
  async check(): Promise<Answer<'check-redis'>> {
    try {
      const info = (await Promise.all([this.redis.info('persistence'), this.redis.info('memory'), this.redis.info('replication')])).join('\n');
      const field = (name: string): string => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1] ?? 'unknown';
      const [seconds, microseconds] = await this.redis.time();
      return accept({
        nowMs: Number(seconds) * 1_000 + Number(microseconds) / 1_000, role: field('role'), loading: field('loading') !== '0',
        maxmemoryPolicy: field('maxmemory_policy'), aofEnabled: field('aof_enabled') === '1',
      });
    } catch (error) {
      this.logger.debug(errorText(error));
      return refuse('UNAVAILABLE', 'Redis cannot be asked now');
    }
  }
}
