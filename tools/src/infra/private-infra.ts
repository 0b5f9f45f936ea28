import { mkdirSync } from 'node:fs';
import path from 'node:path';

import type { ToolsConfig } from '../config.js';
import { searchPath } from '../process/find-binary.js';
import { freePort } from '../process/free-port.js';
import { SupervisedProcess, type ProcessEvent, type ServerSpec } from '../process/supervised-process.js';
import { postgresAccount, postgresDataDir, removeAbandonedData } from './postgres-data-dir.js';
import { postgresServer, postgresUrl } from './postgres.server.js';
import { controlRabbitmq, epmdServer, rabbitmqServer, rabbitmqUrl, type RabbitmqOptions } from './rabbitmq.server.js';
import { redisServer, redisUrl } from './redis.server.js';
import { providePrograms, serverNames, type ServerName, type ServerPrograms } from './server-programs.js';

export type InfraUrls = Readonly<Record<ServerName, string>>;

export interface InfraOptions {
  /** Data and configuration live under here; Postgres' may have to live elsewhere, see `postgresDataDir`. */
  readonly stateDir: string;
  readonly logDir: string;
  readonly config: ToolsConfig;
  readonly passwords: Readonly<Record<ServerName, string>>;
  /** Servers to use instead of private ones; the environment's URLs come before them. */
  readonly given?: Partial<InfraUrls>;
  readonly note: (line: string) => void;
  readonly onEvent: (event: ProcessEvent, server: SupervisedProcess, detail: string) => void;
}

const account = 'floodgate';

/** The Redis, RabbitMQ and Postgres of one platform: private children, or servers that somebody else runs. */
export class PrivateInfra {
  private readonly servers: SupervisedProcess[] = [];
  private retired = false;
  private broker: RabbitmqOptions | null = null;
  private readonly found: Partial<Record<ServerName, string>> = {};

  constructor(private readonly options: InfraOptions) {}

  get urls(): InfraUrls {
    return this.found as InfraUrls;
  }

  /** The pid of a private server; null for a server that is not ours. */
  pid(name: ServerName): number | null {
    return this.servers.find((server) => server.spec.name === name)?.lastPid ?? null;
  }

  /** Waits until a private server serves (again). Throws where it does not, or is not ours. */
  async untilReady(name: ServerName): Promise<void> {
    const server = this.servers.find((one) => one.spec.name === name);
    if (!server) throw new Error(`${name} is not a private server`);
    await server.untilReady();
  }

  /** Runs `rabbitmqctl` on the private broker. Throws with what it said when it fails. */
  async controlBroker(args: readonly string[]): Promise<void> {
    if (!this.broker) throw new Error('rabbitmq is not a private server');
    await controlRabbitmq(this.broker, args);
  }

  /** Every private process that runs now. */
  get pids(): number[] {
    return this.servers.map((server) => server.pid).filter((pid) => pid !== null);
  }

  /** Starts all missing servers side by side and waits until each answers in its own protocol. */
  async start(): Promise<void> {
    const { config, logDir, note, given } = this.options;
    const fromOutside: Partial<InfraUrls> = { ...given, ...urlsOf(config) };
    Object.assign(this.found, fromOutside);
    const wanted = serverNames.filter((name) => fromOutside[name] === undefined);
    for (const name of serverNames) if (fromOutside[name]) note(`${name}: using the server given by its URL`);
    if (wanted.length === 0) return;

    const programs = await providePrograms(wanted, config, logDir, note);
    const startedAt = Date.now();
    const starts: Record<ServerName, () => Promise<void>> = {
      redis: () => this.startRedis(programs as ServerPrograms),
      rabbitmq: () => this.startRabbitmq(programs as ServerPrograms),
      postgres: () => this.startPostgres(programs as ServerPrograms),
    };
    await Promise.all(wanted.map((name) => starts[name]()));
    note(`${wanted.join(', ')} ready in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  }

  /** From now on no server is started, nor started again. */
  retire(): void {
    this.retired = true;
    for (const server of this.servers) server.retire();
  }

  /** Stops every private server; data stays. RabbitMQ's port mapper goes last, since the broker says goodbye to it. */
  async stop(): Promise<void> {
    this.retire();
    const epmd = this.servers.filter((server) => server.spec.name === 'epmd');
    await Promise.all(this.servers.filter((server) => !epmd.includes(server)).map((server) => server.stop()));
    await Promise.all(epmd.map((server) => server.stop()));
  }

  private async startRedis({ redis }: ServerPrograms): Promise<void> {
    const { stateDir, logDir, passwords } = this.options;
    const port = await freePort();
    this.found.redis = redisUrl(port, passwords.redis);
    await this.run(redisServer({ binary: redis, port, password: passwords.redis, dataDir: path.join(stateDir, 'redis'), logFile: path.join(logDir, 'redis.log'), env: this.environment() }));
  }

  private async startRabbitmq({ rabbitmq, epmd }: ServerPrograms): Promise<void> {
    const { stateDir, logDir, passwords } = this.options;
    const [port, distributionPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
    const options: RabbitmqOptions = {
      binary: rabbitmq, epmdBinary: epmd, port, distributionPort, epmdPort, user: account, password: passwords.rabbitmq,
      dataDir: path.join(stateDir, 'rabbitmq'), logDir, env: this.environment(),
    };
    this.found.rabbitmq = rabbitmqUrl(port, account, passwords.rabbitmq);
    this.broker = options;
    await this.run(epmdServer(options));
    await this.run(rabbitmqServer(options));
  }

  private async startPostgres({ postgresDir }: ServerPrograms): Promise<void> {
    const { stateDir, logDir, passwords } = this.options;
    const runAs = postgresAccount();
    removeAbandonedData();
    const options = {
      binDir: postgresDir, port: await freePort(), user: account, password: passwords.postgres, database: account,
      dataDir: postgresDataDir(stateDir), stateDir, logFile: path.join(logDir, 'postgres.log'), env: this.environment(), ...(runAs ? { runAs } : {}),
    };
    this.found.postgres = postgresUrl(options);
    await this.run(postgresServer(options));
  }

  private async run(spec: ServerSpec): Promise<void> {
    if (this.retired) throw new Error(`${spec.name} was stopped before it started`);
    mkdirSync(this.options.logDir, { recursive: true });
    const server = new SupervisedProcess(spec, this.options.onEvent);
    this.servers.push(server);
    await server.start();
  }

  private environment(): Record<string, string> {
    return { PATH: searchPath(this.options.config.PATH), LANG: 'C.UTF-8' };
  }
}

function urlsOf({ REDIS_URL, AMQP_URL, DATABASE_URL }: ToolsConfig): Partial<InfraUrls> {
  return { ...(REDIS_URL ? { redis: REDIS_URL } : {}), ...(AMQP_URL ? { rabbitmq: AMQP_URL } : {}), ...(DATABASE_URL ? { postgres: DATABASE_URL } : {}) };
}
