import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadToolsConfig, repositoryRoot } from '../../tools/src/config.js';
import { canInstall, install } from '../../tools/src/infra/apt.js';
import { findBinary } from '../../tools/src/process/find-binary.js';
import type { RunFile } from '../../tools/src/supervisor/run-file.js';

export interface Ran {
  readonly exit: number;
  /** What the command wrote, without blanks at the ends of lines. */
  readonly out: string;
  readonly err: string;
}

/** A command that says nothing for so long hangs, and its page should have said how it is bounded. */
const commandWithinMs = 60_000;

/**
 * The terminal of whoever is on call: a shell in which the first block of docs/runbooks/README.md has been run.
 * `npx floodgate` is the command that was built here; all else is what stands on the page.
 */
export class Terminal {
  private readonly prelude: string;

  /** @param dir where `.floodgate/run.json` is written, as for a platform of a clone */
  constructor(private readonly dir: string, private readonly run: () => RunFile) {
    const [, names] = /```sh\n([^]*?)```/.exec(readFileSync(path.join(repositoryRoot(), 'docs/runbooks/README.md'), 'utf8'))!;
    this.prelude = `npx() { shift; '${process.execPath}' '${path.join(repositoryRoot(), 'apps/cli/bin/floodgate.mjs')}' "$@"; }\n${names}\n`;
  }

  type(command: string): Promise<Ran> {
    const folder = path.join(this.dir, '.floodgate');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(folder, 'run.json'), JSON.stringify(this.run()), { mode: 0o600 });
    return new Promise((resolve) => {
      execFile('bash', ['-c', this.prelude + command], { cwd: this.dir, timeout: commandWithinMs, encoding: 'utf8' }, (error, out, err) => {
        const exit = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ exit, out: out.replaceAll(/[ \t]+$/gm, '').trimEnd(), err: err.trimEnd() });
      });
    });
  }
}

/** What a page's commands need and the servers do not bring along; Debian's packages are called like the programs. */
export async function provideShellTools(logDir: string): Promise<void> {
  const missing = ['curl', 'jq'].filter((name) => findBinary(loadToolsConfig().PATH, name) === undefined);
  if (missing.length === 0) return;
  if (!canInstall()) throw new Error(`missing on this machine: ${missing.join(' and ')}`);
  mkdirSync(logDir, { recursive: true });
  const logName = path.join(logDir, 'apt.log');
  const log = openSync(logName, 'a');
  try {
    await install(missing, log, logName);
  } finally {
    closeSync(log);
  }
}
