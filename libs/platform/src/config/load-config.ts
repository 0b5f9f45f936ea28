import { z } from 'zod';

export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** The variables that every service knows; spread into an app's own schema. */
export const commonConfig = {
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Prefix of every exchange and queue, so that several platforms can share a broker. */
  NAMESPACE: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/).default('floodgate'),
  /** Waits of the retry tiers instead of the table's, comma-separated milliseconds; every service of a namespace needs the same. */
  RETRY_DELAYS_MS: z.string().regex(/^\d+(,\d+)*$/).transform((list) => list.split(',').map(Number)).optional(),
  INTERNAL_PORT: z.coerce.number().int().min(0).max(65535),
  HOST: z.string().default('127.0.0.1'),
};

/**
 * The environment as the schema wants it, parsed once per process by the app's config.ts.
 * @throws ConfigError with every problem in one message; values are not repeated, they may be secrets
 */
export function loadConfig<T>(schema: z.ZodType<T>, env: Record<string, string | undefined> = process.env): T {
  const parsed = schema.safeParse(env);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(environment)'}: ${issue.message}`);
  throw new ConfigError(`the configuration has ${problems.length} problem(s):\n${problems.join('\n')}`);
}
