import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { greets } from '../process/greeting.js';
import type { ServerSpec } from '../process/supervised-process.js';

export interface RedisOptions {
  readonly binary: string;
  readonly port: number;
  readonly password: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Writes are refused above this, never evicted: an evicted reservation would be a lost one. */
const memoryMax = '1gb';

/** A private Redis: append-only file flushed each second, no snapshots, nothing ever evicted. */
export function redisServer({ binary, port, password, dataDir, logFile, env }: RedisOptions): ServerSpec {
  const config = path.join(dataDir, 'redis.conf');
  return {
    name: 'redis',
    launch: () => {
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      const lines = [
        `port ${port}`, 'bind 127.0.0.1', `requirepass ${password}`, `dir "${dataDir}"`, 'daemonize no', 'save ""',
        'appendonly yes', 'appendfsync everysec', 'maxmemory-policy noeviction', `maxmemory ${memoryMax}`,
      ];
      // A file and not arguments: the command line of a process is public.
      writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 });
      return Promise.resolve({ command: binary, args: [config], env, logFile });
    },
    isReady: () => greets(port, `AUTH ${password}\r\nPING\r\n`, /PONG/),
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 10_000,
  };
}

/** The URL of that Redis. */
export function redisUrl(port: number, password: string): string {
  return `redis://default:${password}@127.0.0.1:${port}`;
}
