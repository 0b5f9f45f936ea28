import { Entry } from './entry.js';
import type { Attempt } from './history.js';
import { makeSale, staffTokens, waitForOpening } from './make-sale.js';
import { press } from './press.js';
import { Progress } from './progress.js';
import { purchase } from './purchase.js';
import { QueueDepth } from './queue-depth.js';
import { readRecords } from './records.js';
import { makeReport, type Report } from './report.js';
import type { Scenario } from './scenario-file.js';
import type { Stage, StagedSale } from './stage.js';
import { judge } from './verdict.js';

/** A sale that goes on, with what takes part in it. */
export interface Scene {
  stage: Stage;
  sale: StagedSale;
  entry: Entry;
}

/** Others who come to the sale. `end` is called when the buyers have all ended, `stop` in any case. */
export type Besiege = (scene: Scene) => { end(): Promise<void>; stop(): void };

/** Buyers fetch their entry tokens this long before the first attempt is due, in the order of their attempts. */
const doorsMs = 750;
const doorsPerBuyerMs = 1;

/**
 * Makes the scenario's sale, lets everybody in, and lays the records side by side when all is over.
 * @param besiege starts whoever else comes, once the sale is there; what it resolves to is awaited, and stopped, before the records are read
 */
export async function holdSale(stage: Stage, scenario: Scenario, { name, note, startedAtMs }: { name: string; note: (line: string) => void; startedAtMs: number }, besiege?: Besiege): Promise<Report> {
  const tokens = await staffTokens(stage);
  const sale = await makeSale(stage, scenario, tokens);
  const entry = new Entry(stage, sale, scenario.sale.challenge);
  note(`sale ${sale.id}: ${sale.items.length} items, ${sale.items.reduce((sum, item) => sum + item.quota, 0)} units; approved and armed, opens at ${new Date(sale.opensAtMs).toISOString()}`);
  const progress = new Progress(stage.tally, process.stdout, note);
  const depth = new QueueDepth(stage.run.rabbitmq.url);
  progress.queueDepth = () => depth.current;
  const siege = besiege?.({ stage, sale, entry });
  try {
    progress.phase = 'before the opening';
    await entry.prepare(stage.plan.buyers);
    await waitForOpening(stage, sale);
    await letThemIn({ stage, sale, entry }, progress);
    await siege?.end();
    progress.phase = 'everything has ended for the buyers; waiting for the records to settle';
    const records = await readRecords(stage, sale, tokens.auditor);
    const items = stage.plan.items.map((item, index) => ({ itemId: sale.items[index]!.id, quota: item.quota, perAccount: item.perAccount, price: item.price }));
    const judgement = judge({ items, perAccount: scenario.sale.perAccount, attempts: stage.attempts, purchases: stage.purchases }, records);
    return makeReport(name, stage, sale, { records, judgement, startedAtMs });
  } finally {
    siege?.stop();
    progress.stop();
    await depth.stop();
  }
}

/** Open-loop: each press is sent when it is due, whatever became of the others. Resolves when every reservation has ended for its buyer. */
async function letThemIn({ stage, sale, entry }: Scene, progress: Progress): Promise<void> {
  const { plan, tally, pauses } = stage;
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
