import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { environmentWithoutLaunchers, repositoryRoot } from '../config.js';
import { ClonePlatform, floodgateDir, runFilePath } from '../supervisor/clone-platform.js';
import type { RunFile } from '../supervisor/run-file.js';
import { aborted, type CommandContext } from './command.js';

export const alreadyUp = 'a platform of this clone is already up: stop it with `npm run down`';

/** What a detached supervisor tells the command that waits for it. */
type Message = { readonly note: string } | { readonly ready: true } | { readonly failed: string };

/** The platform alone, on data that survives `down`. */
export async function upCommand(context: CommandContext): Promise<number> {
  const { values } = parseArgs({ args: [...context.args], options: { detach: { type: 'boolean' }, supervise: { type: 'boolean' }, observe: { type: 'boolean', default: false } } });
  if (values.detach) return await detach(context, values.observe);
  return await (values.supervise ? superviseDetached(context, values.observe) : supervise(context, values.observe, () => undefined));
}

/** Prints where a platform can be reached. */
export function describe(run: RunFile, note: (line: string) => void): void {
  note(`gateway ${run.gatewayUrl} · API ${run.gatewayUrl}/docs · sandbox payment provider ${run.sandboxPayment.url}`);
  note(`everything else is in ${path.relative(process.cwd(), runFilePath()) || runFilePath()}`);
}

async function supervise({ note, stop, hurry }: CommandContext, observe: boolean, onReady: () => void): Promise<number> {
  const clone = new ClonePlatform();
  if (clone.claim() === 'taken') throw new Error(alreadyUp);
  hurry.addEventListener('abort', () => clone.killNow(), { once: true });
  try {
    const starting = clone.start(floodgateDir(), note);
    starting.catch(() => undefined); // awaited below, unless we are told to stop meanwhile
    await Promise.race([starting, aborted(stop)]);
    if (!stop.aborted) {
      const platform = await starting;
      note('the platform is up');
      describe(platform.run, note);
      if (observe) await clone.observe(floodgateDir(), note);
      onReady();
      await aborted(stop);
    }
    note('stopping');
    return 0;
  } finally {
    await clone.stop();
    note('everything is stopped');
  }
}

/** The supervisor of `up --detach`: bound to the waiting command until it is ready, on its own from then on. */
async function superviseDetached(context: CommandContext, observe: boolean): Promise<number> {
  const tell = (message: Message): void => {
    if (process.connected) process.send?.(message);
  };
  const waiterGone = new AbortController();
  const onDisconnect = (): void => waiterGone.abort();
  process.once('disconnect', onDisconnect);
  const note = (line: string): void => {
    context.note(line);
    tell({ note: line });
  };
  try {
    return await supervise({ ...context, note, stop: AbortSignal.any([context.stop, waiterGone.signal]) }, observe, () => {
      process.off('disconnect', onDisconnect);
      tell({ ready: true });
    });
  } catch (error) {
    tell({ failed: (error as Error).message });
    throw error;
  } finally {
    if (process.connected) process.disconnect();
  }
}

/** Starts the supervisor in a session of its own and returns when every service is ready. */
async function detach({ note, stop }: CommandContext, observe: boolean): Promise<number> {
  mkdirSync(floodgateDir(), { recursive: true, mode: 0o700 });
  const logFile = path.join(floodgateDir(), 'supervisor.log');
  const log = openSync(logFile, 'w', 0o600);
  const main = path.join(repositoryRoot(), 'dist', 'tools', 'main.js');
  const child = spawn(process.execPath, [main, 'up', '--supervise', ...(observe ? ['--observe'] : [])], {
    detached: true, cwd: repositoryRoot(), env: environmentWithoutLaunchers(), stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  stop.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });

  return await new Promise<number>((resolve, reject) => {
    let failure = `the supervisor ended while it started; see ${logFile}`;
    child.on('message', (message: Message) => {
      if ('note' in message) note(message.note);
      else if ('failed' in message) failure = message.failed;
      else {
        child.removeAllListeners('exit');
        child.disconnect();
        child.unref();
        note(`detached: \`npm run down\` stops it, ${path.relative(process.cwd(), logFile)} is its log`);
        resolve(0);
      }
    });
    child.once('error', reject);
    child.once('exit', () => (stop.aborted ? resolve(130) : reject(new Error(failure))));
  });
}
