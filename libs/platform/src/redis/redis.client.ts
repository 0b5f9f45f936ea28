import { Redis, type RedisOptions } from 'ioredis';
import { errorText } from '../errors.js';
import { createLogger } from '../telemetry/logger.js';

/**
 * A Redis connection that never does what nobody waits for any more: no offline queue, no resending after a lost reply (one
 * reserve would count twice), and every command ends within a second.
 * Commands reject while the link is down; wait for `ready` before the first.
 * @param options `name` is shown in CLIENT LIST; `protocol` 2 or 3 (RESP), `commandTimeoutMs` where a second is not enough
 */
export function createRedis(url: string, options: { name: string; protocol?: 2 | 3; commandTimeoutMs?: number } & Pick<RedisOptions, 'lazyConnect' | 'db'>): Redis {
  const { name, protocol, commandTimeoutMs, ...rest } = options;
  const logger = createLogger(`redis:${name}`);
  const redis = new Redis(url, {
    ...rest,
    connectionName: name,
    ...(protocol ? { protocol } : {}),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: true,
    commandTimeout: commandTimeoutMs ?? 1_000,
    connectTimeout: 3_000,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: false,
    enableReadyCheck: true,
    noDelay: true,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
  });
  let lastError = '';
  redis.on('error', (error: unknown) => {
    // The same refusal returns with every attempt to connect; once is news.
    const text = errorText(error);
    if (text !== lastError) logger.warn(text);
    lastError = text;
  });
  redis.on('ready', () => {
    if (lastError) logger.info('connected again');
    lastError = '';
  });
  return redis;
}
