import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { loadToolsConfig, repositoryRoot } from '../config.js';
import { searchPath } from '../process/find-binary.js';
import { spawnOwned } from '../process/owned-process.js';
import type { Tally } from './tally.js';

/** The environment of the project's own tools (lint, compiler, Jest): where programs are found, and little else. */
export function toolEnvironment(): Record<string, string> {
  const { PATH, HOME } = loadToolsConfig();
  const own = [path.dirname(process.execPath), path.join(repositoryRoot(), 'node_modules', '.bin')];
  return { PATH: [...own, searchPath(PATH)].join(':'), HOME: HOME ?? tmpdir(), NX_DAEMON: 'false', LANG: 'C.UTF-8' };
}

/** Runs one of the project's tools as a check: one line when it passes, all that it said when it fails. */
export async function runTool(title: string, tool: string, args: readonly string[], stop: AbortSignal, note: (line: string) => void): Promise<Tally> {
  const dir = mkdtempSync(path.join(tmpdir(), 'floodgate-'));
  const logFile = path.join(dir, 'output');
  const startedAt = Date.now();
  try {
    const child = spawnOwned({ command: path.join(repositoryRoot(), 'node_modules', '.bin', tool), args, env: toolEnvironment(), cwd: repositoryRoot(), logFile });
    const kill = (): void => void child.kill('SIGKILL');
    stop.addEventListener('abort', kill, { once: true });
    const [code] = (await once(child, 'exit')) as [number | null];
    stop.removeEventListener('abort', kill);
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    if (code !== 0 && !stop.aborted) note(readFileSync(logFile, 'utf8').trimEnd());
    note(`${title}: ${code === 0 ? 'ok' : 'FAILED'} in ${seconds} s`);
    return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
