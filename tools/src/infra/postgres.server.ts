import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { Client, DatabaseError, escapeIdentifier } from 'pg';

import { greets } from '../process/greeting.js';
import { spawnOwned } from '../process/owned-process.js';
import type { ServerSpec } from '../process/supervised-process.js';
import { rememberOwner } from './postgres-data-dir.js';

export interface PostgresOptions {
  readonly binDir: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Must be reachable for `runAs`: a directory under /root is not. */
  readonly dataDir: string;
  /** Whose data it is: remembered beside it, see `removeAbandonedData`. */
  readonly stateDir: string;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
  /** The account to run as when we are root, which Postgres refuses. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
}

const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** A private Postgres with everything that makes a commit durable left on. */
export function postgresServer(options: PostgresOptions): ServerSpec {
  const { binDir, port, dataDir, logFile, env, runAs } = options;
  const cluster = path.join(dataDir, 'data');
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '100', log_min_messages: 'warning' };
  return {
    name: 'postgres',
    launch: async () => {
      if (!existsSync(path.join(cluster, 'PG_VERSION'))) await initialise(options, cluster);
      const args = ['-D', cluster, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
      // QUIT, not KILL: the postmaster takes its backends and shared memory with it, which SIGKILL would leave behind.
      return { command: path.join(binDir, 'postgres'), args, env, logFile, deathSignal: 'QUIT', ...(runAs ? { user: runAs } : {}) };
    },
    isReady: async () => (await greets(port, sslRequest, /^[NS]/)) && (await ensureDatabase(options)),
    readyWithinMs: 60_000,
    stopSignal: 'SIGINT', // "fast": ends sessions, checkpoints, exits
    stopWithinMs: 15_000,
  };
}

/** The URL of that Postgres. */
export function postgresUrl({ user, password, port, database }: Pick<PostgresOptions, 'user' | 'password' | 'port' | 'database'>): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
}

async function initialise({ binDir, dataDir, stateDir, user, password, env, logFile, runAs }: PostgresOptions, cluster: string): Promise<void> {
  rmSync(cluster, { recursive: true, force: true }); // an initialisation that was interrupted left no PG_VERSION
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  rememberOwner(dataDir, stateDir);
  const passwordFile = path.join(dataDir, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (runAs) for (const file of [dataDir, passwordFile]) chownSync(file, runAs.uid, runAs.gid);
  const args = ['-D', cluster, '-U', user, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '--no-sync'];
  try {
    const initdb = spawnOwned({ command: path.join(binDir, 'initdb'), args, env, logFile, ...(runAs ? { user: runAs } : {}) });
    const [code] = (await once(initdb, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`initdb failed (exit ${String(code)}); see ${logFile}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Creates the database when it is missing; false while the server does not take sessions yet. */
async function ensureDatabase(options: PostgresOptions): Promise<boolean> {
  const client = new Client({ connectionString: postgresUrl({ ...options, database: 'postgres' }), connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined); // a server that dies under this probe is reported as not ready
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [options.database]);
    if (rowCount === 0) await client.query(`create database ${escapeIdentifier(options.database)}`);
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '28P01') throw new Error('postgres refuses our password: its data directory belongs to other secrets', { cause: error });
    return false;
  } finally {
    await client.end().catch(() => undefined); // the connection may never have existed
  }
}
