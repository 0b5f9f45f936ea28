import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { repositoryRoot } from '../config.js';
import { eventually } from '../support/eventually.js';
import type { AppName } from '../supervisor/services.js';

const takenWithinMs = 60_000;

/** Sets the clocks of processes that run; see skewed-clock.mjs, which each of them loads first. */
export class Clocks {
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** What a process needs to have a clock that can be set. */
  environmentOf(app: AppName): Record<string, string> {
    const preload = path.join(repositoryRoot(), 'tools/src/chaos/skewed-clock.mjs');
    return { NODE_OPTIONS: `--import=${pathToFileURL(preload).href}`, CLOCK_SKEW_FILE: this.fileOf(app) };
  }

  /** From now on the process is `skewMs` ahead of the world (less than 0: behind). Resolves when it goes by that. */
  async set(app: AppName, skewMs: number): Promise<void> {
    const file = this.fileOf(app);
    writeFileSync(`${file}.new`, String(skewMs));
    renameSync(`${file}.new`, file);
    await eventually(() => {
      if (readFileSync(`${file}.seen`, 'utf8') !== String(skewMs)) throw new Error(`${app} does not look at ${file}`);
    }, { timeoutMs: takenWithinMs });
  }

  private fileOf(app: AppName): string {
    return path.join(this.folder, app);
  }
}
