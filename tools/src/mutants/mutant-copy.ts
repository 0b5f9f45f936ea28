import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { mutate, type Mutant } from './mutant.js';

const left = new Set(['node_modules', 'dist', '.git', '.nx', '.floodgate', 'coverage']);
const workspace = '@floodgate';

/** The sources, copied to where they may be broken; the installed packages are the original's. */
export class MutantCopy {
  readonly root = mkdtempSync(path.join(tmpdir(), 'floodgate-mutants-'));

  constructor(original: string) {
    cpSync(original, this.root, { recursive: true, filter: (file) => !left.has(path.basename(file)) });
    this.linkPackages(path.join(original, 'node_modules'), path.join(this.root, 'node_modules'));
  }

  /** Runs `use` while the guard is away. */
  async with<T>(mutant: Mutant, use: () => Promise<T>): Promise<T> {
    const file = path.join(this.root, mutant.file);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, mutate(text, mutant));
    try {
      return await use();
    } finally {
      writeFileSync(file, text);
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** One by one, since the packages of the workspace must be the copies. */
  private linkPackages(from: string, to: string): void {
    mkdirSync(path.join(to, workspace), { recursive: true });
    for (const name of readdirSync(from)) if (name !== workspace) symlinkSync(path.join(from, name), path.join(to, name));
    for (const name of readdirSync(path.join(from, workspace))) symlinkSync(readlinkSync(path.join(from, workspace, name)), path.join(to, workspace, name));
  }
}
