import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';

/** What the kernel sends to a child when we die without a chance to stop it. */
export type DeathSignal = 'KILL' | 'QUIT' | 'TERM';

export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child: nothing of ours leaks into it. */
  readonly env: Readonly<Record<string, string>>;
  /** Receives standard output and error; appended to, so that a restart keeps the reason of the death. Absent: see `output`. */
  readonly logFile?: string;
  /** Without a log file: `errors` sends both streams to our standard error, `inherit` (the default) each to its own. */
  readonly output?: 'inherit' | 'errors';
  /** Default `/`: a server must not keep a folder busy that somebody wants to remove. */
  readonly cwd?: string;
  /** Another user to run as; needs root. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly deathSignal?: DeathSignal;
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file));

/**
 * The death signal is set between fork and exec. If we die in that moment nobody sends it, so the child looks at its
 * parent once more before it becomes the server: `$PPID` is read after the signal was armed.
 */
const unlessOrphaned = '[ "$PPID" = "$0" ] || exit 125; exec "$@"';

/**
 * Starts a process that cannot outlive this one: on Linux the kernel ends it when we vanish, SIGKILL included.
 * The pid is the server's own (each wrapper replaces itself), so signals and run.json reach the right process.
 */
export function spawnOwned(spec: ProcessSpec): ChildProcess {
  const log = openLog(spec.logFile);
  try {
    const { command, args } = ownedCommand(spec);
    const identity = setpriv ? {} : (spec.user ?? {});
    // detached: a session of its own, so that Ctrl-C in the terminal reaches the supervisor alone, which knows the order.
    const stdout = log ?? (spec.output === 'errors' ? process.stderr.fd : 'inherit');
    return spawn(command, args, { stdio: ['ignore', stdout, log ?? 'inherit'], cwd: spec.cwd ?? '/', env: spec.env, detached: true, ...identity });
  } finally {
    if (log !== undefined) closeSync(log);
  }
}

function openLog(file: string | undefined): number | undefined {
  if (file === undefined) return undefined;
  mkdirSync(path.dirname(file), { recursive: true });
  return openSync(file, 'a', 0o600);
}

function ownedCommand(spec: ProcessSpec): { command: string; args: string[] } {
  if (!setpriv) return { command: spec.command, args: [...spec.args] };
  const user = spec.user ? [`--reuid=${spec.user.uid}`, `--regid=${spec.user.gid}`, '--clear-groups'] : [];
  const death = ['--pdeathsig', spec.deathSignal ?? 'KILL'];
  return { command: setpriv, args: [...user, ...death, '/bin/sh', '-c', unlessOrphaned, String(process.pid), spec.command, ...spec.args] };
}
