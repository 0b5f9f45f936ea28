import type { CommandContext } from './command.js';
import { runJest } from './jest-run.js';
import { tallyLine } from './tally.js';

/** Writes the pages that are made of tables in the code; the test that they are current does it, so both make them the same way. */
export async function docsCommand({ note, stop }: CommandContext): Promise<number> {
  const tally = await runJest({ projects: ['unit'], patterns: ['test/architecture/pages.spec', 'test/model/model.spec'], urls: null, workersMax: 1, stop, note, env: { WRITE_PAGES: 'true' } });
  note(tallyLine(tally));
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}
