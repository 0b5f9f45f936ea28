import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { isRunning, killIfRunning } from '../process/process-identity.js';
import { floodgateDir, runFilePath } from '../supervisor/clone-platform.js';
import { Ownership } from '../supervisor/ownership.js';
import type { CommandContext } from './command.js';

/** A supervisor stops its parts within bounds that add up to about this. */
const stopWithinMs = 120_000;
const pollMs = 100;

/** Stops the platform of this clone, whoever started it; data stays. Nothing up: says so and is content. */
export async function downCommand({ note }: CommandContext): Promise<number> {
  const ownership = new Ownership(floodgateDir());
  const supervisor = ownership.current();
  if (!supervisor) {
    const ended = ownership.clearStale();
    rmSync(runFilePath(), { force: true });
    note(ended > 0 ? `nothing was up; ended ${ended} processes that a killed supervisor had left` : 'nothing is up');
    return 0;
  }
  note(`stopping the platform (supervisor ${supervisor.pid})`);
  process.kill(supervisor.pid, 'SIGTERM');
  const deadline = Date.now() + stopWithinMs;
  while (isRunning(supervisor)) {
    if (Date.now() > deadline) {
      note('it does not stop; ending it by force');
      killIfRunning(supervisor);
      await delay(pollMs);
      ownership.clearStale();
      break;
    }
    await delay(pollMs);
  }
  rmSync(runFilePath(), { force: true });
  note('everything is stopped; the data stays');
  return 0;
}
