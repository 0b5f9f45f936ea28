import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRedis } from '@floodgate/platform';
import { eventually } from '@floodgate/platform/testing';
import type { Redis } from 'ioredis';

/** A Redis server for one test that restarts, flushes or fills it: nobody else's data is in it. */
export class PrivateRedis {
  private server: ChildProcess | undefined;
  private readonly dir = mkdtempSync(path.join(tmpdir(), 'floodgate-redis-'));

  private constructor(readonly port: number, private readonly args: readonly string[]) {}

  /** @param args further command line options, such as `--appendonly`, `yes` */
  static async start(...args: string[]): Promise<PrivateRedis> {
    const redis = new PrivateRedis(await freePort(), args);
    await redis.run();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  connect(name = 'test'): Promise<Redis> {
    return connectRedis(this.url, name, 1_000); // as deployed: some of its tests are about a Redis that says nothing
  }

  /** Killed without warning, and started again on its data. */
  async restart(): Promise<void> {
    await this.kill();
    await this.run();
  }

  async kill(): Promise<void> {
    const { server } = this;
    if (!server || server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
  }

  async run(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.dir, '--save', '', ...this.args];
    this.server = spawn('redis-server', args, { stdio: 'ignore' });
    const redis = await this.connect();
    redis.disconnect();
  }

  /** For a stop that looks like a hang: `SIGSTOP` and `SIGCONT`. */
  signal(signal: NodeJS.Signals): void {
    this.server?.kill(signal);
  }

  async stop(): Promise<void> {
    this.signal('SIGCONT');
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A connection that is ready, and patient: the machine that tests may stand still for a moment. Rejects when there is no server. */
export async function connectRedis(url: string, name = 'test', commandTimeoutMs = 10_000): Promise<Redis> {
  const redis = createRedis(url, { name, commandTimeoutMs });
  await eventually(() => {
    if (redis.status !== 'ready') throw new Error(`redis is ${redis.status}`);
  });
  return redis;
}

async function freePort(): Promise<number> {
  for (;;) {
    // Below the range from which the system gives ports to clients, so that none of them takes it meanwhile.
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer().once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
