import type { CommandContext } from './command.js';
import { runJest } from './jest-run.js';
import { tallyLine } from './tally.js';

/** Explores the model of test/model within larger bounds than every test run does: minutes, and some gigabytes of memory. */
export async function modelCommand({ note, stop }: CommandContext): Promise<number> {
  const tally = await runJest({ projects: ['unit'], patterns: ['test/model/model.spec'], urls: null, workersMax: 1, stop, note, env: { MODEL_BOUNDS: 'large' } });
  note(tallyLine(tally));
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}
