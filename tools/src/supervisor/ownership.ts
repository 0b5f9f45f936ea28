import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { writeFileAtomically } from '../process/atomic-file.js';
import { identify, isRunning, killIfRunning, type ProcessIdentity } from '../process/process-identity.js';

const identitySchema = z.object({ pid: z.number().int(), startedAt: z.string() });
const ownerSchema = z.object({ supervisor: identitySchema, children: z.array(identitySchema) });
type Owner = z.infer<typeof ownerSchema>;

/**
 * Says which supervisor runs the platform of this clone, and which processes are its children. A pid alone would not
 * do: after a crash or a reboot the number may belong to a stranger.
 */
export class Ownership {
  private readonly file: string;
  private owned = false;

  constructor(private readonly floodgateDir: string) {
    this.file = path.join(floodgateDir, 'owner.json');
  }

  /** The running supervisor of this clone, if there is one. */
  current(): ProcessIdentity | null {
    const owner = read(this.file);
    return owner && isRunning(owner.supervisor) ? owner.supervisor : null;
  }

  /**
   * Takes the clone for this process, clearing away what a killed supervisor left. `taken`: another one runs.
   */
  acquire(): 'acquired' | 'taken' {
    mkdirSync(this.floodgateDir, { recursive: true, mode: 0o700 });
    const self = identify(process.pid);
    if (!self) throw new Error('this process cannot find itself in the process table');
    const candidate = `${this.file}.${process.pid}.candidate`;
    writeFileSync(candidate, JSON.stringify({ supervisor: self, children: [] } satisfies Owner), { mode: 0o600 });
    try {
      while (!linked(candidate, this.file)) {
        if (this.current()) return 'taken';
        this.clearStale();
      }
      this.owned = true;
      return 'acquired';
    } finally {
      rmSync(candidate, { force: true });
    }
  }

  /** Remembers the children, so that whoever comes after a crash can end those that outlived it. */
  record(pids: readonly number[]): void {
    const supervisor = identify(process.pid);
    if (!this.owned || !supervisor) return;
    const children = pids.map((pid) => identify(pid)).filter((identity) => identity !== null);
    writeFileAtomically(this.file, JSON.stringify({ supervisor, children } satisfies Owner));
  }

  release(): void {
    if (this.owned) rmSync(this.file, { force: true });
    this.owned = false;
  }

  /** Ends what a dead supervisor left behind; does nothing while it runs. Returns how many processes it ended. */
  clearStale(): number {
    if (this.current()) return 0;
    const aside = `${this.file}.${process.pid}.stale`;
    try {
      renameSync(this.file, aside);
    } catch {
      return 0; // none, or another starter was faster
    }
    const owner = read(aside);
    if (owner && isRunning(owner.supervisor)) {
      linked(aside, this.file); // a new owner arrived between the look and the rename: put it back
      rmSync(aside, { force: true });
      return 0;
    }
    rmSync(aside, { force: true });
    return (owner?.children ?? []).filter((child) => killIfRunning(child)).length;
  }
}

function read(file: string): Owner | null {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null; // absent, or cut short by a crash of the machine: nobody can be named from it
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
