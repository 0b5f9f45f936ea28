import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The whole installation is one shell script with a trap, in a session of its own: killing us half-way must neither
 * break dpkg's database nor leave our policy-rc.d behind.
 */
const script = `
set -u
policy=/usr/sbin/policy-rc.d
restore() {
  rm -f "$policy"
  if [ -e "$policy.floodgate-saved" ]; then mv "$policy.floodgate-saved" "$policy"; fi
}
trap restore EXIT
trap 'exit 130' INT TERM HUP
if [ -e "$policy" ] && [ ! -e "$policy.floodgate-saved" ]; then mv "$policy" "$policy.floodgate-saved"; fi
printf '#!/bin/sh\\nexit 101\\n' > "$policy"
chmod 755 "$policy"
apt-get -q -o DPkg::Lock::Timeout=300 update &&
apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" </dev/null
`;

/** Units that the packages enable for the next boot; a machine that only wanted a demo should not get three daemons. */
const unitsOf: Record<string, readonly string[]> = {
  'redis-server': ['redis-server.service'],
  'rabbitmq-server': ['rabbitmq-server.service', 'epmd.service', 'epmd.socket'],
  postgresql: ['postgresql.service'],
  prometheus: ['prometheus.service'],
};

/** Whether this machine lets us install packages: Debian or Ubuntu, as root, with apt-get. */
export function canInstall(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    accessSync('/usr/bin/apt-get', constants.X_OK);
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false; // no apt-get or no os-release: another kind of system
  }
}

/**
 * Installs Debian packages without asking anything and without starting a system service.
 * @param logFile receives everything apt-get says; throws with its name when the installation fails.
 */
export async function install(packages: readonly string[], logFile: number, logName: string): Promise<void> {
  const before = await epmdPids();
  const code = await run('/bin/sh', ['-c', script, 'apt', ...packages], logFile);
  if (code !== 0) throw new Error(`apt-get could not install ${packages.join(', ')} (exit ${String(code)}); see ${logName}`);
  const units = packages.flatMap((name) => unitsOf[name] ?? []);
  if (process.platform === 'linux' && units.length > 0) await run('/bin/sh', ['-c', 'command -v systemctl >/dev/null || exit 0; systemctl disable "$@"', 'units', ...units], logFile);
  // Debian's rabbitmq-server package runs its command line once, and that leaves a system-wide epmd behind.
  for (const pid of await epmdPids()) if (!before.has(pid)) process.kill(pid, 'SIGKILL');
}

function run(command: string, args: readonly string[], log: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
    spawn(command, args, { stdio: ['ignore', log, log], detached: true, env, cwd: '/' }).once('error', reject).once('exit', resolve);
  });
}

async function epmdPids(): Promise<Set<number>> {
  const { readdir, readFile } = await import('node:fs/promises');
  const found = new Set<number>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const name = await readFile(path.join('/proc', entry, 'comm'), 'utf8').catch(() => ''); // ended meanwhile
    if (name.trim() === 'epmd') found.add(Number(entry));
  }
  return found;
}
