import { networkOf, Botnet } from './botnet.js';
import { holdSale } from './hold-sale.js';
import { demand, staffTokens } from './make-sale.js';
import { makePlan, type Plan } from './plan.js';
import type { Report } from './report.js';
import type { Scenario, SiegeRules } from './scenario-file.js';
import { joinSales, type Held } from './siege-report.js';
import { onStage, Stage } from './stage.js';
import type { PlayOptions } from './play.js';

/** Where buyers sit: addresses that are set apart for such tests. */
const buyerNetwork = '198.18';

/**
 * Holds the same sale again and again, quiet and besieged in turn, each with people of its own. The switches that the scenario names are set
 * by the operators' own API for the time of the run.
 */
export async function playSiege({ scenario, csv }: { scenario: Scenario; csv: string }, rules: SiegeRules, options: PlayOptions): Promise<{ report: Report; stages: Stage[] }> {
  const held: (Held & { stage: Stage })[] = [];
  const startedAtMs = Date.now();
  const back = await setSwitches(options, rules.switches, makePlan(scenario, csv, options.seed));
  try {
    for (let nth = 1; nth <= 2 * rules.rounds && !options.signal.aborted; nth++) {
      const last = held.findLast((one) => one.bots === null);
      options.note(`sale ${nth} of ${2 * rules.rounds}: ${nth % 2 === 0 ? 'besieged' : 'quiet'}`);
      held.push(await holdOne({ scenario, csv }, rules, options, { nth, expected: nth % 2 === 0 && last ? { requests: last.requests, ms: last.ms } : null }));
    }
  } finally {
    await setSwitches(options, back, makePlan(scenario, csv, options.seed));
  }
  return { report: joinSales(options.name, held, rules, startedAtMs), stages: held.map((one) => one.stage) };
}

async function holdOne({ scenario, csv }: { scenario: Scenario; csv: string }, rules: SiegeRules, { run, name, note, seed, signal }: PlayOptions, { nth, expected }: { nth: number; expected: { requests: number; ms: number } | null }): Promise<Held & { stage: Stage }> {
  const crowd = `${Date.now().toString(36)}-${nth}`;
  const plan = ofCrowd(makePlan(scenario, csv, seed), crowd);
  const stage = new Stage(run, plan, { addressOf: addresses(plan) });
  const startedAtMs = Date.now();
  let botnet: Botnet | null = null;
  let measured = { requests: 0, ms: 0 };
  const report = await onStage(stage, signal, () => holdSale(stage, scenario, { name, note, startedAtMs }, (scene) => {
    const [first, sinceMs] = [stage.requests, performance.now()];
    if (expected) botnet = new Botnet(scene, crowd, rules, expected);
    const bots: Botnet | null = botnet;
    return {
      end: async () => {
        measured = { requests: stage.requests - first, ms: performance.now() - sinceMs };
        await bots?.end();
      },
      stop: () => bots?.stop(),
    };
  }));
  const bots = botnet as Botnet | null;
  return { stage, report, bots: bots && { ...bots.counts, hoarded: bots.hoarded }, ...measured, ofNetwork: unitsOf(stage), perIp: scenario.sale.perIp };
}

/** The same plan with people of its own: an account's rates and blocks outlive a sale. */
function ofCrowd(plan: Plan, crowd: string): Plan {
  const presses = plan.presses.map((press) => ({ ...press, buyer: `${crowd}-${press.buyer}`, key: `${crowd}-${press.key}` }));
  const planned = (key: string): string => key.startsWith(crowd) ? key.slice(crowd.length + 1) : key;
  return { ...plan, presses, buyers: plan.buyers.map((buyer) => `${crowd}-${buyer}`), fateOf: (key) => plan.fateOf(planned(key)) };
}

function addresses({ buyers }: Plan): (account: string) => string {
  const known = new Map(buyers.map((buyer, index) => [buyer, `${buyerNetwork}.${index >> 8}.${index & 255}`]));
  return (account) => known.get(account) ?? (networkOf(account) === null ? '2001:db8:3::1' : '2001:db8:1:1::1');
}

/** Units that were paid for, by the network of hoarders who share one. */
function unitsOf({ purchases }: Stage): number {
  let units = 0;
  for (const { buyer, items, shown } of purchases.values()) {
    const paid = shown.some(({ state }) => state === 'PAID' || state === 'FULFILLED');
    if (paid && networkOf(buyer) !== null) units += items.reduce((all, item) => all + item.quantity, 0);
  }
  return units;
}

/** Sets switches as an operator does. @returns what they were before */
async function setSwitches({ run, signal }: PlayOptions, values: SiegeRules['switches'], plan: Plan): Promise<SiegeRules['switches']> {
  const stage = new Stage(run, plan);
  const before: SiegeRules['switches'] = {};
  // Also when the run is stopped: what was set must not stay.
  return onStage(stage, new AbortController().signal, async () => {
    if (signal.aborted && Object.keys(values).length === 0) return before;
    const { operator: token } = await staffTokens(stage);
    for (const [name, value] of Object.entries(values)) {
      const path = `/v1/admin/switches/${name}`;
      const known = await demand(stage, 200, { method: 'GET', path, token });
      before[name] = known.body.value as boolean | number;
      await demand(stage, 200, { method: 'PUT', path, token, body: { value } });
    }
    return before;
  });
}
