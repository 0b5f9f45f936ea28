import { renameSync, writeFileSync } from 'node:fs';

/** Replaces a file in one step: a reader meets the old content or the new, never half of it. */
export function writeFileAtomically(file: string, content: string, mode = 0o600): void {
  const next = `${file}.${process.pid}.next`;
  writeFileSync(next, content, { mode });
  renameSync(next, file);
}
