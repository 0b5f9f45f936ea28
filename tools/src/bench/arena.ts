import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { Redis } from 'ioredis';
import { Client } from 'pg';

import { repositoryRoot } from '../config.js';
import { freePort } from '../process/free-port.js';
import { greets } from '../process/greeting.js';
import { SupervisedProcess } from '../process/supervised-process.js';
import { Platform } from '../supervisor/platform.js';
import { localUrl, serviceNames, type ServiceName } from '../supervisor/services.js';
import type { Arena } from './comparisons/comparison.js';
import { FloodgateSubject } from './subjects/floodgate.subject.js';
import { FloorSubject } from './subjects/floor.subject.js';
import { PeerSubject } from './subjects/peer.subject.js';
import type { Subject } from './subjects/subject.js';

export const peerNames = ['tutorial', 'tuned'] as const;
const peerRoles = ['gateway', 'seckill', 'order'] as const;
const readyWithinMs = 60_000;
const stopWithinMs = 5_000;

/** Whose CPU profile is wanted, and where it goes. */
export interface Profile {
  readonly service: ServiceName;
  readonly folder: string;
}

/** Everybody who is measured, on the same private servers: the platform as in production, the peers, and the floor. */
export class BenchArena implements Arena {
  readonly platform: Platform;
  private readonly subjects = new Map<string, Subject>();
  private readonly processes: SupervisedProcess[] = [];
  private redis: Redis | null = null;
  private database: Client | null = null;

  /** @param profile a service whose CPU profile is written to a folder when it ends; null: none is */
  constructor(private readonly stateDir: string, profile: Profile | null, private readonly note: (line: string) => void) {
    this.platform = new Platform({
      stateDir, logDir: path.join(stateDir, 'logs'), namespace: 'bench', mode: 'test', note,
      overrides: () => Promise.resolve(Object.fromEntries(serviceNames.map((name) => [name, {
        NODE_ENV: 'production',
        ...(name === 'gateway' ? { DEV_LOGIN: 'false' } : {}),
        ...(name === profile?.service ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile.folder}` } : {}),
      }]))),
    });
  }

  /** @throws where somebody does not start, or the servers are not our own: what others run cannot be measured */
  async start(): Promise<void> {
    const built = this.buildPeers();
    built.catch(() => undefined); // awaited below
    await this.platform.start();
    const { redis, rabbitmq, postgres } = this.platform.run;
    if (!redis.pid || !rabbitmq.pid || !postgres.pid) throw new Error('the bench needs servers of its own to measure: unset REDIS_URL, AMQP_URL and DATABASE_URL');
    await built;
    this.redis = new Redis(redis.url);
    this.database = new Client({ connectionString: postgres.url });
    await this.database.connect();
    const floodgate = new FloodgateSubject(this.platform.run, this.database);
    for (const subject of [floodgate, ...(await Promise.all(peerNames.map((name) => this.startPeer(name)))), await this.startFloor()]) this.subjects.set(subject.name, subject);
  }

  subject(name: string): Subject {
    const found = this.subjects.get(name);
    if (!found) throw new Error(`there is nobody called ${name} to measure`);
    return found;
  }

  get servers(): Arena['servers'] {
    const { redis, rabbitmq, postgres } = this.platform.run;
    return { redis: { url: redis.url, pid: redis.pid! }, rabbitmq: { url: rabbitmq.url, pid: rabbitmq.pid! }, postgres: { url: postgres.url, pid: postgres.pid! } };
  }

  async stop(): Promise<void> {
    const floodgate = this.subjects.get('floodgate') as FloodgateSubject | undefined;
    await floodgate?.close();
    await Promise.all(this.processes.map((one) => one.stop()));
    this.redis?.disconnect();
    await this.database?.end();
    await this.platform.stop();
  }

  private async startPeer(name: string): Promise<PeerSubject> {
    const { redis, rabbitmq, postgres } = this.platform.run;
    const port = await freePort();
    const started = await Promise.all(peerRoles.map((role) => this.startProcess(`${name}-${role}`, {
      PEER: name, PORT: String(port), REDIS_URL: redis.url, AMQP_URL: rabbitmq.url, DATABASE_URL: postgres.url,
    }, role === 'gateway' ? port : null)));
    const own = Object.fromEntries(peerRoles.map((role, index) => [role, started[index]!]));
    const peer = new PeerSubject(name, { ...own, redis: redis.pid!, rabbitmq: rabbitmq.pid!, postgres: postgres.pid! }, new URL(localUrl(port)), { redis: this.redis!, database: this.database! });
    await peer.untilReady();
    return peer;
  }

  private async startFloor(): Promise<FloorSubject> {
    const port = await freePort();
    return new FloorSubject({ floor: await this.startProcess('floor', { PORT: String(port) }, port) }, new URL(localUrl(port)));
  }

  /** @param port where it must answer before it counts as started; null: whoever asks it will see */
  private async startProcess(name: string, env: Record<string, string>, port: number | null): Promise<number> {
    const started = new SupervisedProcess({
      name,
      launch: () => Promise.resolve({ command: process.execPath, args: [path.join(repositoryRoot(), 'dist', 'load', `${name}.js`)], env: { NODE_ENV: 'production', ...env }, logFile: path.join(this.stateDir, 'logs', `${name}.log`) }),
      isReady: () => (port === null ? Promise.resolve(true) : greets(port, 'GET /early HTTP/1.0\r\n\r\n', /^HTTP/)),
      readyWithinMs, stopSignal: 'SIGTERM', stopWithinMs,
    }, (event, { spec }, detail) => {
      if (event !== 'started') this.note(`${spec.name} ${event} (${detail})`);
    });
    this.processes.push(started);
    await started.start();
    return started.lastPid;
  }

  private async buildPeers(): Promise<void> {
    const root = repositoryRoot();
    const rolldown = path.join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs');
    const child = spawn(process.execPath, [rolldown, '-c', path.join(root, 'test', 'load', 'rolldown.config.mjs')], { cwd: '/', stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`the peers could not be built (exit ${String(code)})`);
  }
}
