import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';

const root = path.resolve(import.meta.dirname, '../../../..');

/** As rolldown.config.mjs builds an app, but into a folder of its own, so that test files may build at the same time. */
const buildScript = `
  const { rolldown } = await import('rolldown');
  const { cpSync, globSync } = await import('node:fs');
  const path = await import('node:path');
  const { default: config } = await import(path.resolve('rolldown.config.mjs'));
  const { output, plugins, ...input } = config;
  const bundle = await rolldown(input);
  await bundle.write({ ...output, dir: process.env.OUT });
  for (const file of globSync('apps/' + process.env.APP + '/src/**/*.{lua,sql,yaml,html}')) cpSync(file, path.join(process.env.OUT, path.basename(file)));
`;

/** A whole app as a process of its own, for tests that kill it or speak to it over the network. */
export class AppProcess {
  private child: ChildProcess | undefined;
  private output = '';

  private constructor(private readonly folder: string, private readonly env: Record<string, string>, readonly internalUrl: string) {}

  /** Builds the app and starts it. `env` without INTERNAL_PORT and LOG_LEVEL; resolves when it is ready. */
  static async start(app: string, env: Record<string, string>): Promise<AppProcess> {
    // Below the repository, so that the packages it does not bundle are found.
    await mkdir(path.join(root, 'dist'), { recursive: true });
    const folder = await mkdtemp(path.join(root, 'dist', `test-${app}-`));
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', buildScript], { cwd: root, env: { ...process.env, APP: app, OUT: folder, NODE_OPTIONS: '' } });
    const internalPort = await freePort();
    const running = new AppProcess(folder, { LOG_LEVEL: 'warn', ...env, INTERNAL_PORT: String(internalPort) }, `http://127.0.0.1:${internalPort}`);
    try {
      await running.restart();
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  }

  /** Starts it (again) on the same ports and files; resolves when it is ready. @param changes of its variables, for good */
  async restart(changes: Record<string, string> = {}): Promise<void> {
    Object.assign(this.env, changes);
    this.output = '';
    const child = spawn(process.execPath, ['--enable-source-maps', path.join(this.folder, 'main.js')], { cwd: tmpdir(), env: { PATH: process.env.PATH, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => { this.output = `${this.output}${data.toString()}`.slice(-10_000); });
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${this.output}`);
      const answer = await fetch(`${this.internalUrl}/readyz`);
      if (!answer.ok) throw new Error(`not ready: ${await answer.text()}`);
    }, 90_000);
  }

  /** @returns its exit code, null after a signal that it did not handle */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exit = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exit) as [number | null];
    return code;
  }

  /** Ends it and removes what was built. */
  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A port that nobody listens on, below those that outgoing connections take. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = net.createServer();
    const free = await new Promise<boolean>((resolve) => server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)));
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
