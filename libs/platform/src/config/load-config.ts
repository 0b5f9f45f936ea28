import { z } from 'zod';
import { traceConfig } from './trace-config.js';
import { readSecretFiles, weakSecrets } from './secrets.js';

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
  /** Where /metrics and the probes listen: never on a public address, whatever HOST says. */
  INTERNAL_HOST: z.string().default('127.0.0.1'),
  HOST: z.string().default('127.0.0.1'),
  ...traceConfig,
};

/**
 * The environment as the schema wants it, parsed once per process by the app's config.ts. Secrets may come from files (`JWT_SECRET_FILE`);
 * in production those that anybody could guess are refused.
 * @throws ConfigError with every problem in one message; values are not repeated, they may be secrets
 */
export function loadConfig<T>(schema: z.ZodType<T>, env: Record<string, string | undefined> = process.env): T {
  const { values, problems } = readSecretFiles(env);
  const parsed = schema.safeParse(values);
  problems.push(...(parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.') || '(environment)'}: ${issue.message}`));
  // What the schema does not know is not this service's, and nothing that it uses.
  if (parsed.success && values['NODE_ENV'] === 'production') problems.push(...weakSecrets(values, Object.keys(parsed.data as object)));
  if (!parsed.success || problems.length > 0) throw new ConfigError(`the configuration has ${problems.length} problem(s):\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  return parsed.data;
}
