import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin:/opt/homebrew/sbin';

/** The search path of every child: ours, with the directories of servers that a plain user's PATH leaves out. */
export function searchPath(ownPath: string): string {
  return [...new Set([...ownPath.split(':'), ...systemPath.split(':')])].filter((dir) => dir !== '').join(':');
}

/** The first of these programs that exists: absolute paths as they are, bare names looked up in the search path. */
export function findBinary(ownPath: string, ...names: readonly string[]): string | undefined {
  const dirs = searchPath(ownPath).split(':');
  return names.flatMap((name) => (path.isAbsolute(name) ? [name] : dirs.map((dir) => path.join(dir, name)))).find(isExecutable);
}

/** The directory of the newest Postgres server programs; Debian keeps them off the path, one directory per version. */
export function findPostgresDir(ownPath: string): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const candidates = [...versions.map((version) => path.join(debian, version, 'bin', 'postgres')), 'postgres'];
  const found = findBinary(ownPath, ...candidates);
  return found && isExecutable(path.join(path.dirname(found), 'initdb')) ? path.dirname(found) : undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // absent or not ours to run: the same to the caller
  }
}
