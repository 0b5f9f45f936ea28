import { armFileOf, type CrashPoint } from '@floodgate/platform';
import { readPassages, type Passage } from '@floodgate/platform/faults';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';

import { eventually } from '../support/eventually.js';

/** A process that is being started reads the file within this. */
export const startsWithinMs = 10_000;
const toldWithinMs = 60_000;

/** Arms crash points in the processes of a platform that runs, and tells which were hit. */
export class Crashes {
  constructor(private readonly folder: string, private readonly pidOf: (service: string) => number) {}

  /**
   * From its `nth` passage of the point on, counted from now, the service is dead. Resolves when it has been told.
   * @param quietMs so long nobody is signalled: for a process that is being started, and reads the file by itself
   */
  async arm(service: string, point: CrashPoint, nth = 1, quietMs = 0): Promise<void> {
    const file = armFileOf(this.folder, service);
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(`${file}.new`, `${point}@${nth}`);
    renameSync(`${file}.new`, file);
    let [told, fromMs] = [0, performance.now() + quietMs];
    await eventually(() => {
      const pid = this.pidOf(service);
      // A process that is being started has no ear for the signal yet, and dies of it; the next one reads the file by itself.
      if (told !== 0 && pid !== told) [told, fromMs] = [0, performance.now() + startsWithinMs];
      if (existsSync(file) && performance.now() >= fromMs) signal(told = pid);
      if (existsSync(file)) throw new Error(`${service} does not look at ${file}`);
    }, { timeoutMs: toldWithinMs });
  }

  /** How often a process died at this point. */
  hits(point: CrashPoint): number {
    return this.passages().filter((passage) => passage.point === point && passage.what === 'killed').length;
  }

  passages(): Passage[] {
    return readPassages(this.folder);
  }
}

function signal(pid: number): void {
  try {
    if (pid > 0) process.kill(pid, 'SIGUSR2');
  } catch {
    // ESRCH: it is dead, and will be started again
  }
}
