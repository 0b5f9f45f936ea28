import { writeFileSync } from 'node:fs';

import type { RunFile } from '../supervisor/run-file.js';
import { Entry } from './entry.js';
import { writeHistory, type Attempt } from './history.js';
import { makeSale, staffTokens, waitForOpening } from './make-sale.js';
import { makePlan } from './plan.js';
import { press } from './press.js';
import { Progress } from './progress.js';
import { purchase } from './purchase.js';
import { QueueDepth } from './queue-depth.js';
import { readRecords } from './records.js';
import { makeReport, type Report } from './report.js';
import { reportLines } from './report-text.js';
import { loadScenario, type Scenario } from './scenario-file.js';
import { Stage, type StagedSale } from './stage.js';
import { judge, type Verdict } from './verdict.js';

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

/** Buyers fetch their entry tokens this long before the first attempt is due, in the order of their attempts. */
const doorsMs = 750;
const doorsPerBuyerMs = 1;

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
  const startedAtMs = Date.now();
  const stage = new Stage(options.run, makePlan(scenario, csv, options.seed));
  const stop = (): void => stage.pauses.stop();
  if (options.signal.aborted) stop();
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    options.note(`${scenario.title}: ${scenario.about}`);
    const report = await run(stage, scenario, options, startedAtMs);
    for (const line of reportLines(report)) options.note(line);
    if (options.reportFile !== undefined) writeFileSync(options.reportFile, `${JSON.stringify(report, null, 2)}\n`);
    if (options.historyFile !== undefined) await writeHistory(options.historyFile, stage.attempts.values(), stage.purchases.values());
    return { verdict: report.verdict };
  } finally {
    options.signal.removeEventListener('abort', stop);
    await stage.close();
  }
}

async function run(stage: Stage, scenario: Scenario, { name, note }: PlayOptions, startedAtMs: number): Promise<Report> {
  const tokens = await staffTokens(stage);
  const sale = await makeSale(stage, scenario, tokens);
  note(`sale ${sale.id}: ${sale.items.length} items, ${sale.items.reduce((sum, item) => sum + item.quota, 0)} units; approved and armed, opens at ${new Date(sale.opensAtMs).toISOString()}`);
  await waitForOpening(stage, sale);
  const progress = new Progress(stage.tally, process.stdout, note);
  const depth = new QueueDepth(stage.run.rabbitmq.url);
  progress.queueDepth = () => depth.current;
  try {
    await letThemIn(stage, sale, progress);
    progress.phase = 'everything has ended for the buyers; waiting for the records to settle';
    const records = await readRecords(stage, sale, tokens.auditor);
    const items = stage.plan.items.map((item, index) => ({ itemId: sale.items[index]!.id, quota: item.quota, perAccount: item.perAccount, price: item.price }));
    const judgement = judge({ items, perAccount: scenario.sale.perAccount, attempts: stage.attempts, purchases: stage.purchases }, records);
    return makeReport(name, stage, sale, { records, judgement, startedAtMs });
  } finally {
    progress.stop();
    await depth.stop();
  }
}

/** Open-loop: each press is sent when it is due, whatever became of the others. Resolves when every reservation has ended for its buyer. */
async function letThemIn(stage: Stage, sale: StagedSale, progress: Progress): Promise<void> {
  const { plan, tally, pauses } = stage;
  const entry = new Entry(stage, sale);
  const purchases: Promise<void>[] = [];
  const onAccepted = (attempt: Attempt, rid: string): void => {
    if (stage.purchases.has(rid)) return; // A replay: the buyer has been following it since the first 202.
    tally.accepted++;
    purchases.push(purchase(stage, attempt, rid, sale.paymentWindowMs));
  };
  progress.phase = 'the doors are open: everybody fetches an entry token';
  const firstAtMs = Date.now() + doorsMs + doorsPerBuyerMs * plan.buyers.length;
  for (const buyer of plan.buyers) void entry.tokenOf(buyer);
  await pauses.sleep(firstAtMs - Date.now());
  progress.phase = 'the rush';
  const presses: Promise<void>[] = [];
  for (const what of plan.presses) {
    const meantAtMs = firstAtMs + what.atMs;
    if (meantAtMs > Date.now()) await pauses.sleep(meantAtMs - Date.now());
    if (pauses.stopped) break;
    tally.waiting++;
    presses.push(press({ stage, sale, entry }, what, meantAtMs, onAccepted).finally(() => tally.waiting--));
  }
  await Promise.all(presses);
  progress.phase = 'all have their answers; the winners pay, cancel, or let it lapse';
  await Promise.all(purchases);
}
