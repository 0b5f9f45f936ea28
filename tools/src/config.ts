import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

const schema = z.object({
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
  HOME: z.string().optional(),
  REDIS_URL: z.string().startsWith('redis').optional(),
  AMQP_URL: z.string().startsWith('amqp').optional(),
  DATABASE_URL: z.string().startsWith('postgres').optional(),
  TEST_REDIS_URL: z.string().optional(),
  TEST_AMQP_URL: z.string().optional(),
  TEST_DATABASE_URL: z.string().optional(),
  /** The processes that started us, as `pid:start-time` pairs; set by bootstrap.mjs. */
  FLOODGATE_LAUNCHERS: z.string().default(''),
  /** Where the caller of npm was; set by npm. */
  INIT_CWD: z.string().optional(),
  LOG_LEVEL: z.string().default('info'),
});

export type ToolsConfig = z.infer<typeof schema>;

/** Reads the environment once; an empty variable counts as absent. Throws one message naming every fault. */
export function loadToolsConfig(environment: NodeJS.ProcessEnv = process.env): ToolsConfig {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Error(`bad environment: ${parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')}`);
}

/** Our environment for a supervisor that shall outlive the processes that started us. */
export function environmentWithoutLaunchers(): NodeJS.ProcessEnv {
  return { ...process.env, FLOODGATE_LAUNCHERS: '' };
}

/** The top folder of the clone, wherever this code runs from (the bundle in dist, or the source under Jest). */
export function repositoryRoot(from: string = import.meta.dirname): string {
  for (let dir = from; ; dir = path.dirname(dir)) {
    const file = path.join(dir, 'package.json');
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'floodgate') return dir;
    if (dir === path.dirname(dir)) throw new Error(`no clone of floodgate above ${from}`);
  }
}
