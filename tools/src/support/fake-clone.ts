import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { loadToolsConfig, repositoryRoot } from '../config.js';
import { postgresDataDir } from '../infra/postgres-data-dir.js';
import { searchPath } from '../process/find-binary.js';
import { identify } from '../process/process-identity.js';
import { readRunFile, type RunFile } from '../supervisor/run-file.js';
import { sandboxName, serviceNames } from '../supervisor/services.js';

/** Ready at once, stops at once: what the supervisor sees of an app. */
const fakeApp = `
import { createServer } from 'node:http';
const listen = (port) => createServer((request, response) => { response.statusCode = request.url === '/readyz' ? 200 : 404; response.end(); }).listen(Number(port), '127.0.0.1');
listen(process.env.INTERNAL_PORT);
if (process.env.PORT) listen(process.env.PORT);
process.on('SIGTERM', () => process.exit(0));
`;

/** A clone of this repository with its real commands and apps that do nothing, to start and to kill. */
export class FakeClone {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'floodgate-clone-'));
  output = '';
  private readonly folders = [this.dir, postgresDataDir(path.join(this.dir, '.floodgate'))];

  constructor(private readonly environment: Readonly<Record<string, string>> = {}) {
    const root = repositoryRoot();
    const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as object;
    writeFileSync(path.join(this.dir, 'package.json'), JSON.stringify({ ...manifest, workspaces: [] }));
    for (const file of ['package-lock.json', 'nx.json', 'tools/bootstrap.mjs', 'tools/bootstrap-rules.mjs', 'dist/tools/main.js', 'scenarios']) cpSync(path.join(root, file), path.join(this.dir, file), { recursive: true });
    symlinkSync(path.join(root, 'node_modules'), path.join(this.dir, 'node_modules'));
    for (const app of [...serviceNames, sandboxName]) {
      mkdirSync(path.join(this.dir, 'dist', app), { recursive: true });
      writeFileSync(path.join(this.dir, 'dist', app, 'main.js'), fakeApp);
    }
  }

  /** Runs a command of package.json the way a person does. */
  npm(...args: string[]): ChildProcess {
    const env = { PATH: searchPath(loadToolsConfig().PATH), HOME: this.dir, ...this.environment };
    const child = spawn('npm', ['run', ...args], { cwd: this.dir, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    return child;
  }

  /** The same, to its end; with its exit code. */
  async npmToEnd(...args: string[]): Promise<number | null> {
    const child = this.npm(...args);
    return await new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  get run(): RunFile | null {
    return readRunFile(path.join(this.dir, '.floodgate', 'run.json'));
  }

  /**
   * Every process that was started from this clone and still runs, with its command line. Servers that write over
   * their title (Redis, Postgres) are known by the folder they work in.
   */
  processes(): { pid: number; command: string }[] {
    const found: { pid: number; command: string }[] = [];
    for (const entry of readdirSync('/proc')) {
      const pid = Number(entry);
      if (!Number.isInteger(pid) || !identify(pid)) continue;
      try {
        const [command, env] = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1'));
        const traces = [command, env, readlinkSync(`/proc/${pid}/cwd`)].join('\0');
        if (this.folders.some((folder) => traces.includes(folder))) found.push({ pid, command: command!.replaceAll('\0', ' ') });
      } catch {
        // it ended while we looked
      }
    }
    return found;
  }

  /** Ends what a failed test left, and removes the clone. */
  remove(): void {
    for (const { pid } of this.processes()) if (identify(pid)) process.kill(pid, 'SIGKILL');
    for (const dir of this.folders) if (existsSync(dir)) rmSync(dir, { recursive: true, force: true });
  }
}
