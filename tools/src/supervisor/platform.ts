import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { loadToolsConfig, repositoryRoot } from '../config.js';
import { PrivateInfra, type InfraUrls } from '../infra/private-infra.js';
import type { ServerName } from '../infra/server-programs.js';
import { loadSecrets, type Secrets } from '../infra/secrets.js';
import { freePort, preferredPort } from '../process/free-port.js';
import { SupervisedProcess, type ProcessEvent, type ServerSpec } from '../process/supervised-process.js';
import type { RunFile } from './run-file.js';
import { localUrl, sandboxName, serviceEnvironment, serviceNames, stopOrder, type AppName, type PlatformPorts, type ServiceContext } from './services.js';

export interface PlatformOptions {
  /** Data and secrets; what lies here survives a stop. */
  readonly stateDir: string;
  readonly logDir: string;
  readonly namespace?: string;
  readonly mode?: 'development' | 'test';
  /** Taken when it is free; any free one otherwise. */
  readonly gatewayPort?: number;
  /** Servers to use instead of private ones. */
  readonly given?: Partial<InfraUrls>;
  /** Variables of single apps that shall differ, as a test with a proxy before the broker wants it. */
  readonly overrides?: (urls: InfraUrls) => Promise<Partial<Record<AppName, Readonly<Record<string, string>>>>>;
  /** The longest wait before an app that dies again and again is started again, for a test that kills it on purpose. */
  readonly backoffMaxMs?: number;
  readonly note: (line: string) => void;
  /** After every start, restart and death: the moment to write run.json and the list of children. */
  readonly onChange?: () => void;
}

/** The longest any service may take to connect, migrate and be ready; a machine with two busy cores needs a while. */
const readyWithinMs = 90_000;
/** Services drain for ten seconds at most, so anything later is stuck. */
const stopWithinMs = 12_000;
/** A health check that hangs is a "no". */
const readyTimeoutMs = 2_000;

const eventWords = { died: 'died, starting it again', restarted: 'started again', killed: 'ended by force' } as const;

/** One whole platform: its servers, the five services and the sandbox provider, all of them kept running. */
export class Platform {
  private readonly infra: PrivateInfra;
  private readonly apps = new Map<AppName, SupervisedProcess>();
  private readonly secrets: Secrets;
  private ports!: PlatformPorts;
  private stopped: Promise<void> | null = null;

  constructor(private readonly options: PlatformOptions) {
    const { stateDir, logDir, note, given } = options;
    this.secrets = loadSecrets(stateDir);
    const onEvent = this.report.bind(this);
    this.infra = new PrivateInfra({ stateDir, logDir, config: loadToolsConfig(), passwords: this.secrets, note, onEvent, ...(given ? { given } : {}) });
  }

  /** Starts everything and waits until every service says it is ready. On failure everything is stopped again. */
  async start(): Promise<void> {
    const { logDir, note, gatewayPort } = this.options;
    rmSync(logDir, { recursive: true, force: true });
    mkdirSync(logDir, { recursive: true });
    try {
      await this.infra.start();
      this.ports = await choosePorts(gatewayPort);
      const startedAt = Date.now();
      const names: readonly AppName[] = [...serviceNames, sandboxName];
      const overrides = (await this.options.overrides?.(this.infra.urls)) ?? {};
      await Promise.all(names.map((name) => this.startApp(name, overrides[name] ?? {})));
      note(`${names.join(', ')} ready in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** What run.json says now. Only after `start`. */
  get run(): RunFile {
    const { ports, infra, secrets } = this;
    const pidOf = (name: AppName): number => this.apps.get(name)?.lastPid ?? 0;
    return {
      gatewayUrl: localUrl(ports.gateway),
      supervisorPid: process.pid,
      services: serviceNames.map((name) => ({ name, pid: pidOf(name), internalUrl: localUrl(ports.internal[name]) })),
      redis: { url: infra.urls.redis, pid: infra.pid('redis') },
      rabbitmq: { url: infra.urls.rabbitmq, pid: infra.pid('rabbitmq') },
      postgres: { url: infra.urls.postgres, pid: infra.pid('postgres') },
      jwtSecret: secrets.jwt,
      sandboxPayment: { url: localUrl(ports.sandbox), pid: pidOf(sandboxName), webhookSecret: secrets.sandboxWebhook },
    };
  }

  /** Waits until a service or private server serves, as after a death. Throws where it does not. */
  async untilReady(name: AppName | ServerName): Promise<void> {
    const app = this.apps.get(name as AppName);
    await (app ? app.untilReady() : this.infra.untilReady(name as ServerName));
  }

  /** The pid of a service or private server; of one that is being started again, the last. */
  pidOf(name: AppName | ServerName): number {
    return this.apps.get(name as AppName)?.lastPid ?? this.infra.pid(name as ServerName) ?? 0;
  }

  /** Runs `rabbitmqctl` on the private broker. */
  controlBroker(...args: string[]): Promise<void> {
    return this.infra.controlBroker(args);
  }

  /** Every process of this platform that runs now. */
  get pids(): number[] {
    return [...this.infra.pids, ...[...this.apps.values()].map((app) => app.pid)].filter((pid) => pid !== null);
  }

  /** Stops everything in order, each part within its bound, then by force. Safe to call at any time, and twice. */
  stop(): Promise<void> {
    this.stopped ??= this.stopAll();
    return this.stopped;
  }

  /** Ends everything at once, for whoever cannot wait. Nothing acknowledged is lost: a crash looks the same. */
  killNow(): void {
    for (const app of this.apps.values()) app.retire();
    this.infra.retire();
    for (const pid of this.pids) process.kill(pid, 'SIGKILL');
  }

  private async stopAll(): Promise<void> {
    for (const app of this.apps.values()) app.retire();
    for (const name of stopOrder) await this.apps.get(name)?.stop();
    await this.infra.stop();
  }

  private async startApp(name: AppName, overrides: Readonly<Record<string, string>>): Promise<void> {
    const { options, ports, secrets, infra } = this;
    if (this.stopped) throw new Error(`${name} was stopped before it started`);
    const context: ServiceContext = {
      urls: infra.urls, ports, secrets, namespace: options.namespace ?? 'floodgate', stateDir: options.stateDir,
      mode: options.mode ?? 'development', logLevel: loadToolsConfig().LOG_LEVEL,
    };
    const app = new SupervisedProcess({ ...appSpec(name, context, options.logDir, overrides), ...(options.backoffMaxMs === undefined ? {} : { backoffMaxMs: options.backoffMaxMs }) }, this.report.bind(this));
    this.apps.set(name, app);
    await app.start();
  }

  private report(event: ProcessEvent, server: SupervisedProcess, detail: string): void {
    if (event !== 'started') this.options.note(`${server.spec.name} ${eventWords[event]} (${detail})`);
    this.options.onChange?.();
  }
}

function appSpec(name: AppName, context: ServiceContext, logDir: string, overrides: Readonly<Record<string, string>>): ServerSpec {
  const main = path.join(repositoryRoot(), 'dist', name, 'main.js');
  return {
    name,
    launch: () => {
      if (name === sandboxName) mkdirSync(path.join(context.stateDir, 'sandbox'), { recursive: true });
      const args = ['--enable-source-maps', main];
      const env = { ...serviceEnvironment(name, context), ...overrides };
      return Promise.resolve({ command: process.execPath, args, env, logFile: path.join(logDir, `${name}.log`) });
    },
    isReady: () => isReady(`${localUrl(context.ports.internal[name])}/readyz`),
    readyWithinMs,
    stopSignal: 'SIGTERM',
    stopWithinMs,
  };
}

async function choosePorts(gatewayPort: number | undefined): Promise<PlatformPorts> {
  const gateway = gatewayPort === undefined ? await freePort() : await preferredPort(gatewayPort);
  const internal: Partial<Record<AppName, number>> = {};
  for (const name of stopOrder) internal[name] = await freePort();
  return { gateway, sandbox: await freePort(), internal: internal as Record<AppName, number> };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(readyTimeoutMs) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false; // not listening yet
  }
}
