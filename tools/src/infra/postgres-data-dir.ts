import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const sharedDir = '/var/tmp';
const prefix = 'floodgate-postgres-';
const ownerFile = 'state-dir';

/** The account that Postgres runs as when we are root, which it refuses; undefined when we are not. */
export function postgresAccount(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const rows = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  const row = rows.find(([name]) => name === 'postgres') ?? rows.find(([name]) => name === 'nobody');
  if (!row) throw new Error('Postgres refuses to run as root, and there is neither a user postgres nor nobody');
  return { uid: Number(row[2]), gid: Number(row[3]) };
}

/**
 * Where Postgres keeps its data. As root it runs under another account, which may not enter the clone's folder
 * (one under /root, say), so the data lies in /var/tmp, named after the state folder.
 */
export function postgresDataDir(stateDir: string): string {
  if (!postgresAccount()) return path.join(stateDir, 'postgres');
  return path.join(sharedDir, `${prefix}${createHash('sha256').update(path.resolve(stateDir)).digest('hex').slice(0, 12)}`);
}

/** Writes down whose data it is, since the name of the folder cannot be read backwards. */
export function rememberOwner(dataDir: string, stateDir: string): void {
  writeFileSync(path.join(dataDir, ownerFile), path.resolve(stateDir));
}

/** Removes data whose state folder is gone: somebody deleted the clone and could not know of /var/tmp. */
export function removeAbandonedData(): void {
  if (!postgresAccount()) return;
  for (const name of readdirSync(sharedDir)) {
    if (name.startsWith(prefix) && isAbandoned(path.join(sharedDir, name))) rmSync(path.join(sharedDir, name), { recursive: true, force: true });
  }
}

function isAbandoned(dataDir: string): boolean {
  try {
    return !existsSync(readFileSync(path.join(dataDir, ownerFile), 'utf8'));
  } catch {
    return false; // being created, or removed by another starter: not ours to judge
  }
}
