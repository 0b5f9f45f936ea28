import { z } from 'zod';
import { commonConfig, loadConfig } from '../config/load-config.js';
import { createLogger, setLogLevel } from '../telemetry/logger.js';
import { migrate, type MigrationOptions } from './migrations.js';

const { NODE_ENV, LOG_LEVEL } = commonConfig;
/** All that a migration needs: no other secret has to be in its reach. */
export const migrationConfigSchema = z.object({ NODE_ENV, LOG_LEVEL, DATABASE_URL: z.url() });

/** The argument that asks an app for it: `node main.js migrate`. */
export const migrateArgument = 'migrate';

/** Whether this process was started to migrate and nothing else. */
export const isMigration = (args: readonly string[] = process.argv.slice(2)): boolean => args[0] === migrateArgument;

/**
 * Brings an app's schema up to date and ends the process: 0 when it is current, 1 when a migration failed (that one is rolled back).
 * It waits for a server that is away for as long as whoever started it lets it; two at once take turns.
 * @throws ConfigError
 */
export async function migrateOnly(options: Omit<MigrationOptions, 'url'>): Promise<never> {
  const config = loadConfig(migrationConfigSchema);
  setLogLevel(config.LOG_LEVEL);
  const logger = createLogger(`${options.applicationName} migrations`);
  // The first process of a container gets no default action for a signal. An open migration is rolled back by the server.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
  try {
    const dataSource = await migrate({ ...options, url: config.DATABASE_URL });
    await dataSource.destroy();
    logger.info('the schema is current');
    process.exit(0);
  } catch (error) {
    logger.error(error);
    process.exit(1);
  }
}
