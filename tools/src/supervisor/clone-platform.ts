import { rmSync } from 'node:fs';
import path from 'node:path';

import { repositoryRoot } from '../config.js';
import { Observer } from '../observe/observer.js';
import { writeFileAtomically } from '../process/atomic-file.js';
import { Ownership } from './ownership.js';
import { Platform } from './platform.js';

const gatewayPort = 8080;

/** Where this clone keeps everything that is not source. */
export function floodgateDir(): string {
  return path.join(repositoryRoot(), '.floodgate');
}

/** Where the running platform of this clone describes itself. */
export function runFilePath(): string {
  return path.join(floodgateDir(), 'run.json');
}

/** The one platform of this clone: the only one that `.floodgate/run.json` describes. */
export class ClonePlatform {
  private readonly ownership = new Ownership(floodgateDir());
  private platform: Platform | null = null;
  private observer: Observer | null = null;
  private announced = false;

  /** Claims the clone; `taken` when another supervisor has it. */
  claim(): 'acquired' | 'taken' {
    const claimed = this.ownership.acquire();
    if (claimed === 'acquired') rmSync(runFilePath(), { force: true }); // one that a killed supervisor left
    return claimed;
  }

  /** Starts everything on the data in `stateDir` and writes run.json once all of it is ready. */
  async start(stateDir: string, note: (line: string) => void): Promise<Platform> {
    const platform = new Platform({
      stateDir, logDir: path.join(floodgateDir(), 'logs'), gatewayPort, note,
      onChange: () => this.publish(),
    });
    this.platform = platform;
    await platform.start();
    this.announced = true;
    this.publish();
    return platform;
  }

  /** Starts a Prometheus that watches the platform, and says where it is. Only after `start`. */
  async observe(stateDir: string, note: (line: string) => void): Promise<void> {
    if (!this.platform) throw new Error('there is no platform to observe');
    this.observer = await Observer.start(this.platform.run, { stateDir, logDir: path.join(floodgateDir(), 'logs'), note });
    note(`prometheus ${this.observer.url} · alerts ${this.observer.url}/alerts`);
  }

  /** Stops everything and gives the clone back. */
  async stop(): Promise<void> {
    await this.observer?.stop();
    await this.platform?.stop();
    if (this.announced) rmSync(runFilePath(), { force: true });
    this.announced = false;
    this.ownership.release();
  }

  killNow(): void {
    this.platform?.killNow();
  }

  private publish(): void {
    if (!this.platform) return;
    this.ownership.record(this.platform.pids);
    if (this.announced) writeFileAtomically(runFilePath(), `${JSON.stringify(this.platform.run, null, 2)}\n`);
  }
}
