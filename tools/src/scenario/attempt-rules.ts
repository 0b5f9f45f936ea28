import type { DemandLine } from './demand.js';
import { cumulate, type Chance } from './random.js';
import type { Scenario } from './scenario-file.js';
import type { OfferedItem } from './stock-rules.js';

/** A request that a buyer means to have sent `atMs` after the doors open. The same key may be pressed more than once. */
export interface Press {
  atMs: number;
  key: string;
  buyer: string;
  /** `item` is an index into the plan's items. */
  items: { item: number; quantity: number }[];
}

type Rule<Name> = Extract<Scenario['attempts'], { rule: Name }>;
interface World {
  lines: readonly DemandLine[];
  items: readonly OfferedItem[];
  chance: Chance;
}

/** Every line an attempt by its customer for its product, in the order of the data. */
export function replayLines(rule: Rule<'replay-lines'>, { lines, items, chance }: World): Press[] {
  const indexOf = new Map(items.map((item, index) => [item.sku, index]));
  const clock = squeeze(lines.map((line) => line.atMs), rule.longestGapMinutes * 60_000);
  const spanMs = Math.max(1, clock.at(-1) ?? 1);
  const lastIndex = Math.max(1, lines.length - 1);
  const presses = lines.map((line, index): Press => ({
    atMs: Math.round(rule.seconds * 1000 * (rule.evenShare * (index / lastIndex) + (1 - rule.evenShare) * ((clock[index] ?? 0) / spanMs))),
    key: `line-${index + 1}`,
    buyer: `customer-${line.customer}`,
    items: [{ item: indexOf.get(line.sku) ?? unknownProduct(line.sku), quantity: line.quantity }],
  }));
  return withSameKeyAgain(presses, rule.sameKeyAgain, chance);
}

/** A crowd at the opening, which thins out; a share of the presses are people trying the same thing again, with a new key or the old one. */
export function pressInRush(rule: Rule<'rush'>, { items, chance }: World): Press[] {
  const popularity = cumulate(items.map((item) => item.weight));
  const sizes = cumulate(rule.itemsPerPress);
  // Those who will press again, in the order of their moments; a slot takes the first that is due.
  const again: Press[] = [];
  const presses: Press[] = [];
  rushMoments(rule).forEach((atMs, slot) => {
    const due = again[0] && again[0].atMs <= atMs ? again.shift() : undefined;
    const press = due ? { ...due, atMs } : {
      atMs,
      key: `press-${slot + 1}`,
      buyer: `staff-${1 + Math.floor(chance.of(`buyer|${slot}`) * rule.buyers)}`,
      items: pickItems(slot, 1 + chance.choose(`size|${slot}`, sizes), popularity, chance),
    };
    presses.push(press);
    for (const next of nextPresses(rule, press, slot, chance)) insertByMoment(again, next);
  });
  return presses;
}

/** Every buyer, `keysEach` times, for the first item. */
export function pressEverybody(rule: Rule<'everybody'>, { chance }: World): Press[] {
  const presses: Press[] = [];
  for (let buyer = 1; buyer <= rule.buyers; buyer++) {
    for (let nth = 1; nth <= rule.keysEach; nth++) {
      const key = `buyer-${buyer}-key-${nth}`;
      presses.push({ atMs: chance.between(`at|${key}`, [0, rule.seconds * 1000]), key, buyer: `buyer-${buyer}`, items: [{ item: 0, quantity: 1 }] });
    }
  }
  return withSameKeyAgain(presses, rule.sameKeyAgain, chance);
}

/** The shop's clock from 0, with long silences cut short. */
function squeeze(timesMs: readonly number[], gapMaxMs: number): number[] {
  let at = 0;
  return timesMs.map((time, index) => (at += index === 0 ? 0 : Math.min(gapMaxMs, Math.max(0, time - (timesMs[index - 1] ?? time)))));
}

function withSameKeyAgain(presses: Press[], rule: Rule<'rush'>['sameKeyAgain'], chance: Chance): Press[] {
  const repeated = presses.filter((press) => chance.happens(`again|${press.key}`, rule.share));
  return [...presses, ...repeated.map((press) => ({ ...press, atMs: press.atMs + chance.between(`after|${press.key}`, rule.afterMs) }))];
}

/** Moments in milliseconds: full rate, then a rate that halves every half-life. */
function rushMoments(rule: Rule<'rush'>): number[] {
  const moments: number[] = [];
  for (let atMs = 0; atMs < rule.seconds * 1000;) {
    moments.push(Math.round(atMs));
    const rate = rule.peakPerSecond * 2 ** (-Math.max(0, atMs / 1000 - rule.peakSeconds) / rule.halfLifeSeconds);
    atMs += 1000 / rate;
  }
  return moments;
}

function nextPresses(rule: Rule<'rush'>, press: Press, slot: number, chance: Chance): Press[] {
  const next: Press[] = [];
  if (chance.happens(`press-again|${slot}`, rule.pressAgain.share)) {
    next.push({ ...press, key: `press-${slot + 1}-again`, atMs: press.atMs + chance.between(`press-after|${slot}`, rule.pressAgain.afterMs) });
  }
  if (chance.happens(`same-key|${slot}`, rule.sameKeyAgain.share)) {
    next.push({ ...press, atMs: press.atMs + chance.between(`same-after|${slot}`, rule.sameKeyAgain.afterMs) });
  }
  return next;
}

function pickItems(slot: number, count: number, popularity: readonly number[], chance: Chance): Press['items'] {
  const picked = new Set<number>();
  for (let nth = 0; nth < count; nth++) picked.add(chance.choose(`item|${slot}|${nth}`, popularity));
  return [...picked].map((item) => ({ item, quantity: 1 }));
}

function insertByMoment(queue: Press[], press: Press): void {
  const at = queue.findLastIndex((other) => other.atMs <= press.atMs);
  queue.splice(at + 1, 0, press);
}

function unknownProduct(sku: string): never {
  throw new Error(`product ${sku} is asked for but not offered`);
}
