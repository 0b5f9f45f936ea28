import { Logger } from '@nestjs/common';
import pg from 'pg';
import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm';
import { errorText } from '../errors.js';
import { isAway } from './postgres.errors.js';

export interface MigrationOptions {
  url: string;
  schema: string;
  applicationName: string;
  /** Classes with plain SQL; each is one transaction. */
  migrations: (new () => MigrationInterface)[];
  /** For reads through typeorm; the hot path uses Database. */
  entities?: NonNullable<Extract<DataSourceOptions, { type: 'postgres' }>['entities']>;
}

const RETRY_MS = 1_000;

/**
 * Waits for the server, makes the schema, and brings it up to date. Instances that start together take turns: typeorm itself has no
 * lock, and two at once fail.
 * @returns the initialised DataSource
 */
export async function migrate(options: MigrationOptions): Promise<DataSource> {
  const logger = new Logger(`postgres ${options.schema}`);
  for (let lastError = ''; ;) {
    try {
      return await migrateOnce(options);
    } catch (error) {
      if (!isAway(error)) throw error;
      const text = errorText(error);
      if (text !== lastError) logger.warn(`waiting for Postgres: ${text}`);
      lastError = text;
      await new Promise((resolve) => { setTimeout(resolve, RETRY_MS); });
    }
  }
}

async function migrateOnce(options: MigrationOptions): Promise<DataSource> {
  if (!/^[a-z_][a-z0-9_]*$/.test(options.schema)) throw new Error(`${options.schema} is no plain schema name`);
  const lock = new pg.Client({ connectionString: options.url, application_name: `${options.applicationName}:migrations`, connectionTimeoutMillis: 5_000 });
  lock.on('error', () => undefined); // the statement that needs the link fails by itself
  await lock.connect();
  const dataSource = new DataSource({
    type: 'postgres',
    url: options.url,
    schema: options.schema,
    applicationName: options.applicationName,
    migrations: options.migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    ...(options.entities ? { entities: options.entities } : {}),
    extra: { options: `-c search_path=${options.schema}`, max: 2, idleTimeoutMillis: 10_000, connectionTimeoutMillis: 5_000 },
  });
  try {
    await lock.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`migrations of ${options.schema}`]);
    await lock.query(`CREATE SCHEMA IF NOT EXISTS ${options.schema}`);
    await dataSource.initialize();
    await dataSource.runMigrations();
    return dataSource;
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy().catch(() => undefined); // the first error is the one that matters
    throw error;
  } finally {
    await lock.end().catch(() => undefined); // ends with the process at the latest, and the lock with it
  }
}
