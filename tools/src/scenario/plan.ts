import { parseDemand, wantedProducts } from './demand.js';
import { pressEverybody, pressInRush, replayLines, type Press } from './attempt-rules.js';
import { Chance } from './random.js';
import type { Scenario } from './scenario-file.js';
import { offerItems, type OfferedItem } from './stock-rules.js';

/** What a buyer does with a reservation. */
export const fates = ['pay', 'lapse', 'cancel', 'decline'] as const;
export type FateName = (typeof fates)[number];

export interface Fate {
  name: FateName;
  thinkMs: number;
  /** Follows by server-sent events. */
  byEvents: boolean;
  /** cancel: right after the 202. lapse: starts a payment and leaves. */
  early: boolean;
  captureDelayMs: number;
  repeat: number;
}

export interface Plan {
  seed: number;
  items: OfferedItem[];
  /** In the order of their moments. */
  presses: Press[];
  /** In the order of their first press. */
  buyers: string[];
  /** The fate of what this key wins, always the same. */
  fateOf(key: string): Fate;
}

/** Everything the virtual buyers are going to do, decided before the first request: the same scenario, data and seed make the same plan. */
export function makePlan(scenario: Scenario, csv: string, seed: number = scenario.seed): Plan {
  const lines = parseDemand(csv, scenario.data.quantityMax);
  const items = offerItems(scenario.stock, wantedProducts(lines));
  const chance = new Chance(seed);
  const presses = pressesOf(scenario, { lines, items, chance }).toSorted((a, b) => a.atMs - b.atMs);
  return { seed, items, presses, buyers: [...new Set(presses.map((press) => press.buyer))], fateOf: (key) => fateOf(scenario, chance, key) };
}

function pressesOf(scenario: Scenario, world: Parameters<typeof replayLines>[1]): Press[] {
  const rule = scenario.attempts;
  switch (rule.rule) {
    case 'replay-lines': return replayLines(rule, world);
    case 'rush': return pressInRush(rule, world);
    case 'everybody': return pressEverybody(rule, world);
  }
}

/** What becomes of what this key wins. */
export function fateOf({ fates: shares, manners }: Pick<Scenario, 'fates' | 'manners'>, chance: Chance, key: string): Fate {
  const name = fates[chance.choose(`fate|${key}`, [shares.pay, shares.pay + shares.lapse, shares.pay + shares.lapse + shares.cancel, 1])] ?? 'lapse';
  const early = name === 'cancel' ? manners.cancelAtOnceShare : name === 'lapse' ? manners.openPageAndLeaveShare : 0;
  return {
    name,
    thinkMs: chance.between(`think|${key}`, manners.thinkMs),
    byEvents: chance.happens(`events|${key}`, manners.eventsShare),
    early: chance.happens(`early|${key}`, early),
    captureDelayMs: chance.happens(`late|${key}`, manners.lateCapture.share) ? chance.between(`delay|${key}`, manners.lateCapture.delayMs) : 0,
    repeat: chance.happens(`repeat|${key}`, manners.repeatedCallback.share) ? manners.repeatedCallback.times : 0,
  };
}
