import { writeFileSync } from 'node:fs';

import type { RunFile } from '../supervisor/run-file.js';
import { writeHistory } from './history.js';
import { holdSale } from './hold-sale.js';
import { makePlan } from './plan.js';
import type { Report } from './report.js';
import { reportLines } from './report-text.js';
import { loadScenario, type Scenario } from './scenario-file.js';
import { playSiege } from './siege.js';
import { onStage, Stage } from './stage.js';
import type { Verdict } from './verdict.js';

export { scenarioNames } from './scenario-file.js';

export interface PlayOptions {
  name: string;
  run: RunFile;
  /** Where the report goes, as JSON. */
  reportFile?: string;
  /** Where the client history goes, as NDJSON: every answer that every key was given. */
  historyFile?: string;
  /** Instead of the scenario's own. */
  seed?: number;
  signal: AbortSignal;
  note: (line: string) => void;
}

/**
 * Plays a scenario against a running platform, over its public HTTP API alone, and lays the records side by side.
 * The report is printed through `note` and written to `reportFile`. When `signal` aborts, the run ends early with `unknown`.
 * Throws one sentence when the scenario is faulty or the sale cannot be made.
 */
export function playScenario(options: PlayOptions): Promise<{ verdict: Verdict }> {
  return play(loadScenario(options.name), options);
}

/** The same, for a scenario that is not in the folder. */
export async function play({ scenario, csv }: { scenario: Scenario; csv: string }, options: PlayOptions): Promise<{ verdict: Verdict }> {
  options.note(`${scenario.title}: ${scenario.about}`);
  const { report, stages } = scenario.siege ? await playSiege({ scenario, csv }, scenario.siege, options) : await playOne({ scenario, csv }, options);
  for (const line of reportLines(report)) options.note(line);
  if (options.reportFile !== undefined) writeFileSync(options.reportFile, `${JSON.stringify(report, null, 2)}\n`);
  if (options.historyFile !== undefined) {
    await writeHistory(options.historyFile, stages.flatMap((stage) => [...stage.attempts.values()]), stages.flatMap((stage) => [...stage.purchases.values()]));
  }
  return { verdict: report.verdict };
}

async function playOne({ scenario, csv }: { scenario: Scenario; csv: string }, options: PlayOptions): Promise<{ report: Report; stages: Stage[] }> {
  const stage = new Stage(options.run, makePlan(scenario, csv, options.seed));
  const startedAtMs = Date.now();
  const report = await onStage(stage, options.signal, () => holdSale(stage, scenario, { name: options.name, note: options.note, startedAtMs }));
  return { report, stages: [stage] };
}
