import { z } from 'zod';
import { commonConfig, ConfigError, loadConfig } from './load-config.js';

const schema = z.object({
  NODE_ENV: commonConfig.NODE_ENV,
  /** The point to die at, `name` or `name@nth`. */
  CRASH_POINT: z.string().min(1).optional(),
  /** Where points are armed in a process that runs, and passages are written down. */
  CRASH_DIR: z.string().min(1).optional(),
});
export type CrashConfig = Pick<z.infer<typeof schema>, 'CRASH_POINT' | 'CRASH_DIR'>;

/** @throws ConfigError where a process in production is told to die */
export function readCrashConfig(env: Record<string, string | undefined> = process.env): CrashConfig {
  const { NODE_ENV, ...config } = loadConfig(schema, env);
  if (NODE_ENV === 'production' && (config.CRASH_POINT ?? config.CRASH_DIR) !== undefined) {
    throw new ConfigError('CRASH_POINT and CRASH_DIR are for tests, and this is production');
  }
  return config;
}
