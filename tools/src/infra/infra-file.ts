import { readFileSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { repositoryRoot } from '../config.js';
import { isRunning } from '../process/process-identity.js';
import type { InfraUrls } from './private-infra.js';

const schema = z.object({
  redisUrl: z.string(), amqpUrl: z.string(), databaseUrl: z.string(),
  owner: z.object({ pid: z.number().int(), startedAt: z.string() }),
});

/** Where `node tools/bootstrap.mjs infra` says which servers it runs. */
export function infraFilePath(): string {
  return path.join(repositoryRoot(), '.floodgate', 'infra.json');
}

/** The servers that somebody keeps running for tests in this clone; null when there are none. */
export function readRunningInfra(): InfraUrls | null {
  try {
    const { redisUrl, amqpUrl, databaseUrl, owner } = schema.parse(JSON.parse(readFileSync(infraFilePath(), 'utf8')));
    return isRunning(owner) ? { redis: redisUrl, rabbitmq: amqpUrl, postgres: databaseUrl } : null;
  } catch {
    return null; // no file, or one of another version: as good as none
  }
}
