import path from 'node:path';

import { TcpProxy } from '@floodgate/platform/faults';

import type { ServerName } from '../infra/server-programs.js';
import type { Pauses } from '../scenario/pauses.js';
import { Platform } from '../supervisor/platform.js';
import type { AppName, ServiceName } from '../supervisor/services.js';
import { Clocks } from './clocks.js';
import { Crashes } from './crashes.js';

/** What every service has between itself and each server. */
export type Links = Readonly<Record<ServerName, TcpProxy>>;

const apps: readonly AppName[] = ['gateway', 'promotion', 'seckill', 'order', 'notification', 'sandbox-payment'];
/** A process that dies on purpose is no reason to wait. */
const backoffMaxMs = 100;
/** A check of life that hangs is a "no". */
const livesWithinMs = 2_000;
/** Waits of the retry tiers: short, that what met a fault ends within the run. */
const retryDelaysMs = '250,1000,3000,5000';
/** The provider sometimes takes money for a payment that it has closed, tells things twice, and loses an answer. */
const misbehaviour = { captureAfterClose: 0.6, captureAfterCloseMs: 600, repeatCallback: 0.05, repeatTimes: 2, loseReply: 0.02 };

/** A platform on servers of its own, with a link that can be broken before each of them, and everything that faults need. */
export class Arena {
  readonly namespace = 'chaos';
  readonly platform: Platform;
  readonly crashes: Crashes;
  readonly clocks: Clocks;
  links!: Links;

  constructor(readonly stateDir: string, seed: number, readonly pauses: Pauses, note: (line: string) => void) {
    const crashDir = path.join(stateDir, 'crashes');
    this.clocks = new Clocks(path.join(stateDir, 'clocks'));
    this.platform = new Platform({
      stateDir, logDir: path.join(stateDir, 'logs'), namespace: this.namespace, mode: 'test', backoffMaxMs, note,
      overrides: async (urls) => {
        const links = { redis: new TcpProxy(new URL(urls.redis)), rabbitmq: new TcpProxy(new URL(urls.rabbitmq)), postgres: new TcpProxy(new URL(urls.postgres)) };
        await Promise.all(Object.values(links).map((link) => link.start()));
        this.links = links;
        return Object.fromEntries(apps.map((app) => [app, { ...environmentOf(app, links, crashDir, seed), ...this.clocks.environmentOf(app) }]));
      },
    });
    this.crashes = new Crashes(crashDir, (name) => this.platform.pidOf(name as AppName));
  }

  get redisDir(): string {
    return path.join(this.stateDir, 'redis');
  }

  async start(): Promise<void> {
    await this.platform.start();
    const { redis, rabbitmq, postgres } = this.platform.run;
    if (!redis.pid || !rabbitmq.pid || !postgres.pid) throw new Error('chaos needs servers of its own to break: unset REDIS_URL, AMQP_URL and DATABASE_URL');
  }

  /** Sends a signal to a service or server; one that is gone already needs none. */
  signal(name: AppName | ServerName, signal: NodeJS.Signals): void {
    try {
      process.kill(this.platform.pidOf(name), signal);
    } catch {
      // ESRCH: it died in this moment, and is being started again
    }
  }

  /** Ends a process with a signal and waits until there is another in its place, and it serves. */
  async end(name: AppName | ServerName, signal: NodeJS.Signals): Promise<void> {
    const before = this.platform.pidOf(name);
    this.signal(name, signal);
    await this.replaced(name, before);
  }

  async replaced(name: AppName | ServerName, before: number): Promise<void> {
    while (this.platform.pidOf(name) === before && !this.pauses.stopped) await this.pauses.sleep(10);
    await this.platform.untilReady(name);
  }

  /** Ends a process with a signal and waits until there is another in its place, and it lives; it may still lack what it needs to serve. */
  async endAndRevive(name: ServiceName, signal: NodeJS.Signals): Promise<void> {
    const before = this.platform.pidOf(name);
    this.signal(name, signal);
    while (!this.pauses.stopped && (this.platform.pidOf(name) === before || !(await this.lives(name)))) await this.pauses.sleep(50);
  }

  /** Every link whole, every process awake and on time, everything ready. */
  async heal(): Promise<void> {
    const names: (AppName | ServerName)[] = ['redis', 'rabbitmq', 'postgres', ...apps];
    for (const link of Object.values(this.links)) {
      link.accept();
      link.release();
      link.delayMs = 0;
    }
    for (const name of names) this.signal(name, 'SIGCONT');
    for (const name of names) await this.platform.untilReady(name);
    for (const app of apps) await this.clocks.set(app, 0);
  }

  private async lives(name: ServiceName): Promise<boolean> {
    const service = this.platform.run.services.find((one) => one.name === name)!;
    try {
      const response = await fetch(`${service.internalUrl}/livez`, { signal: AbortSignal.timeout(livesWithinMs) });
      await response.arrayBuffer();
      return response.status === 200;
    } catch {
      return false; // not listening yet
    }
  }

  async stop(): Promise<void> {
    for (const link of Object.values(this.links ?? {})) link.release();
    await this.platform.stop();
    await Promise.all(Object.values(this.links ?? {}).map((link) => link.stop()));
  }
}

function environmentOf(app: AppName, links: Links, crashDir: string, seed: number): Record<string, string> {
  const common = { CRASH_DIR: crashDir, RETRY_DELAYS_MS: retryDelaysMs };
  switch (app) {
    case 'sandbox-payment': return { CRASH_DIR: crashDir, SANDBOX_MISBEHAVIOUR: JSON.stringify({ seed: seed >>> 0, ...misbehaviour }) };
    case 'gateway': return { ...common, AMQP_URL: links.rabbitmq.url };
    case 'seckill': return { ...common, AMQP_URL: links.rabbitmq.url, REDIS_URL: links.redis.url };
    default: return { ...common, AMQP_URL: links.rabbitmq.url, DATABASE_URL: links.postgres.url };
  }
}
