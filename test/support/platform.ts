import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';

import { Client, escapeIdentifier } from 'pg';

import { postgresDataDir } from '../../tools/src/infra/postgres-data-dir.js';
import type { ServerName } from '../../tools/src/infra/server-programs.js';
import { floodgateDir } from '../../tools/src/supervisor/clone-platform.js';
import { Platform as SupervisedPlatform } from '../../tools/src/supervisor/platform.js';
import type { RunFile } from '../../tools/src/supervisor/run-file.js';
import type { AppName } from '../../tools/src/supervisor/services.js';
import { Crashes } from './crashes.js';
import { infraUrls, type TestInfra } from './infra.js';

/** A run file whose Redis is private, and therefore has a pid to kill. */
export type TestRun = RunFile & { redis: { url: string; pid: number } };

/** A whole platform under the real supervisor, for one test file. */
export interface Platform {
  /** What run.json would say now: pids change when a process is started again. */
  readonly run: TestRun;
  readonly namespace: string;
  /** One file per process; kept after a failure until the next test run. */
  readonly logDir: string;
  /** Where its processes die, if `changes.crashes` said so. */
  readonly crashes: Crashes;
  /** Runs `rabbitmqctl` on the private broker, if `changes.privateServers` names it. */
  controlBroker(...args: string[]): Promise<void>;
  /** Stops every process and removes the data. */
  stop(): Promise<void>;
}

export interface PlatformChanges {
  /** Waits of the retry tiers, in milliseconds, where a test cannot wait for the real ones. */
  readonly retryDelaysMs?: readonly number[];
  /** Variables of single processes; gets the addresses that they would have had. */
  readonly serviceEnv?: (urls: TestInfra) => Promise<Partial<Record<AppName, Record<string, string>>>>;
  /** Its processes can be told to die at crash points, and are started again at once. */
  readonly crashes?: boolean;
  /** Servers of its own besides Redis, for a test that kills or stops them. */
  readonly privateServers?: readonly Exclude<ServerName, 'redis'>[];
}

const messagingApps: readonly AppName[] = ['gateway', 'promotion', 'seckill', 'order', 'notification'];
const allApps: readonly AppName[] = [...messagingApps, 'sandbox-payment'];

/**
 * Starts a platform of its own: a private Redis, a database and a namespace of its own in the shared Postgres and
 * RabbitMQ. Resolves when every service is ready.
 */
export async function startPlatform(changes: PlatformChanges = {}): Promise<Platform> {
  const namespace = `e2e-${randomBytes(6).toString('hex')}`;
  const stateDir = path.join(floodgateDir(), `test-${process.pid}-${namespace}`);
  const logDir = path.join(stateDir, 'logs');
  const own = changes.privateServers ?? [];
  const shared = own.length === 2 ? null : infraUrls();
  const database = shared && !own.includes('postgres') ? await createDatabase(shared.databaseUrl, namespace) : null;
  const lines: string[] = [];
  const crashDir = path.join(stateDir, 'crashes');
  const platform = new SupervisedPlatform({
    stateDir, logDir, namespace, mode: 'test',
    given: { ...(database ? { postgres: database.url } : {}), ...(shared && !own.includes('rabbitmq') ? { rabbitmq: shared.amqpUrl } : {}) },
    ...(changes.crashes ? { backoffMaxMs: 100 } : {}),
    overrides: async ({ redis, rabbitmq, postgres }) => {
      const env = await changes.serviceEnv?.({ redisUrl: redis, amqpUrl: rabbitmq, databaseUrl: postgres });
      const delays = changes.retryDelaysMs ? withVariable(env, messagingApps, 'RETRY_DELAYS_MS', changes.retryDelaysMs.join(',')) : env;
      return changes.crashes ? withVariable(delays, allApps, 'CRASH_DIR', crashDir) : (delays ?? {});
    },
    note: (line) => void lines.push(line),
  });
  try {
    await platform.start();
  } catch (error) {
    throw new Error(`the platform did not start:\n${lines.join('\n')}\n${(error as Error).message}`, { cause: error });
  }
  return {
    get run() {
      return platform.run as TestRun;
    },
    namespace,
    logDir,
    crashes: new Crashes(crashDir, (name) => platform.run.services.find((service) => service.name === name)?.pid ?? 0),
    controlBroker: (...args) => platform.controlBroker(...args),
    stop: async () => {
      await platform.stop();
      await database?.drop();
      for (const dir of [postgresDataDir(stateDir), ...['redis', 'rabbitmq', 'sandbox', 'secrets.json', 'crashes'].map((name) => path.join(stateDir, name))]) rmSync(dir, { recursive: true, force: true });
    },
  };
}

type AppEnv = Partial<Record<AppName, Record<string, string>>>;

function withVariable(env: AppEnv = {}, apps: readonly AppName[], name: string, value: string): AppEnv {
  return { ...env, ...Object.fromEntries(apps.map((app) => [app, { ...env[app], [name]: value }])) };
}

async function createDatabase(serverUrl: string, name: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const administer = async (statement: string): Promise<void> => {
    const client = new Client({ connectionString: serverUrl });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const identifier = escapeIdentifier(name);
  await administer(`create database ${identifier}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.toString(), drop: () => administer(`drop database ${identifier} with (force)`) };
}
