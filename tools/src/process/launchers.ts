import { isRunning, type ProcessIdentity } from './process-identity.js';

const watchEveryMs = 250;

/** Reads the `pid:start` pairs that bootstrap.mjs hands over: itself, and npm with its shell where npm started it. */
export function parseLaunchers(value: string): ProcessIdentity[] {
  return value.split(',').filter((part) => part !== '').map((part) => {
    const [pid, startedAt] = part.split(':');
    if (!pid || !startedAt || !Number.isSafeInteger(Number(pid))) throw new Error(`bad FLOODGATE_LAUNCHERS: ${value}`);
    return { pid: Number(pid), startedAt };
  });
}

/**
 * Calls `gone` once when any launcher has ended. npm killed with SIGKILL passes no signal on: its shell and we would
 * run for ever with nobody to stop us.
 * @returns stops watching.
 */
export function watchLaunchers(launchers: readonly ProcessIdentity[], gone: () => void): () => void {
  if (launchers.length === 0) return () => undefined;
  const timer = setInterval(() => {
    if (launchers.every(isRunning)) return;
    clearInterval(timer);
    gone();
  }, watchEveryMs);
  return () => clearInterval(timer);
}
