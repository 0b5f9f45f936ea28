import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { repositoryRoot } from '../config.js';

const share = z.number().min(0).max(1);
const positive = z.number().positive();
const rangeMs = z.tuple([z.int().min(0), z.int().min(0)]).refine(([from, to]) => from <= to, 'the second number must not be smaller');
const again = z.strictObject({ share, afterMs: rangeMs });

const stockSchema = z.discriminatedUnion('rule', [
  /** quota = min(demand, max(largest line, ceil(share × demand))); limit per account = the largest total that one customer asks of the product. */
  z.strictObject({ rule: z.literal('share-of-demand'), share, perAccountMax: z.int().min(1) }),
  /** `items` products, variants of them where the data has too few; `units` in all, each item at least one, by popularity^power (1 = as skewed as the demand). */
  z.strictObject({ rule: z.literal('spread-units'), items: z.int().min(1), units: z.int().min(1), popularityPower: z.number().min(0), perAccount: z.int().min(1) }),
  /** The most popular products of the data. */
  z.strictObject({ rule: z.literal('most-wanted'), items: z.int().min(1), unitsEach: z.int().min(1), perAccount: z.int().min(1) }),
]);

const attemptsSchema = z.discriminatedUnion('rule', [
  /**
   * Every line of the data is an attempt by its customer, in order. The shop's clock runs faster: gaps longer than `longestGapMinutes`
   * are cut to it, the rest is squeezed into `seconds`. `evenShare` of the time passes evenly from line to line and the rest by the clock,
   * so that lines booked in the same minute do not all fall due at the same instant.
   */
  z.strictObject({ rule: z.literal('replay-lines'), seconds: positive, longestGapMinutes: positive, evenShare: share, sameKeyAgain: again }),
  /** `peakPerSecond` for `peakSeconds`, then halving every `halfLifeSeconds`. Items are chosen as the data's customers chose; `itemsPerPress[n]` is the share of presses for n + 1 items. */
  z.strictObject({
    rule: z.literal('rush'), buyers: z.int().min(1), seconds: positive, peakPerSecond: positive, peakSeconds: z.number().min(0), halfLifeSeconds: positive,
    itemsPerPress: z.array(share).min(1).max(20), pressAgain: again, sameKeyAgain: again,
  }),
  /** Every buyer asks for the first item `keysEach` times, at moments spread over `seconds`. */
  z.strictObject({ rule: z.literal('everybody'), buyers: z.int().min(1), keysEach: z.int().min(1), seconds: positive, sameKeyAgain: again }),
]);

const fates = z.strictObject({ pay: share, lapse: share, cancel: share, decline: share })
  .refine((all) => Math.abs(all.pay + all.lapse + all.cancel + all.decline - 1) < 1e-9, 'the shares must sum to 1');

/** Bots, and what they must not achieve. */
const siege = z.strictObject({
  rounds: z.int().min(1),
  /** Requests of the bots for each request of a buyer, over the whole of a sale. */
  timesTraffic: positive,
  /** The bots have sent as much in this share of the time that a quiet sale takes; after that they keep up with what the buyers send. */
  within: z.number().gt(0).max(1),
  /** The buyers' p99 under siege may be this many times that of the quiet sales (medians of both). */
  p99TimesMax: positive,
  /** Accounts with good bearer tokens that never solve a puzzle. */
  accounts: z.int().min(1),
  /** Accounts that solve one and press as often as they can: half of them in a single /64, the others each in its own. */
  hoarders: z.int().min(2),
  /** Set for the run, and set back after it. */
  switches: z.record(z.string(), z.union([z.boolean(), z.number()])),
});
export type SiegeRules = z.infer<typeof siege>;

export const scenarioSchema = z.strictObject({
  title: z.string().min(1),
  about: z.string().min(1),
  /** A file of `scenarios/data`; quantities above `quantityMax` count as that many. */
  data: z.strictObject({ file: z.string().regex(/^[a-z0-9-]+\.csv$/), quantityMax: z.int().min(1).max(100) }),
  seed: z.int().min(0),
  sale: z.strictObject({
    currency: z.string().length(3), opensInSeconds: positive, closesAfterSeconds: positive,
    /** Long enough for a payer on a busy machine, short enough for every reservation to end within the run. */
    paymentWindowSeconds: z.int().min(1), perAccount: z.int().min(1).nullable(), perIp: z.int().min(1).nullable().default(null),
    attemptsPerMinute: z.int().min(1).nullable().default(null), challenge: z.enum(['none', 'proof-of-work']).default('none'),
  }),
  stock: stockSchema,
  attempts: attemptsSchema,
  /** What the buyer of a reservation does with it. */
  fates,
  manners: z.strictObject({
    /** Between seeing the order and acting. */
    thinkMs: rangeMs,
    /** Of the buyers follow by server-sent events, the others by polling. */
    eventsShare: share,
    /** Of those who cancel do it right after the 202, usually while QUEUED; the others when they see the order. */
    cancelAtOnceShare: share,
    /** Of those who let it lapse start a payment first and never finish it. */
    openPageAndLeaveShare: share,
    /** Of the captures happen a while after the buyer's click. */
    lateCapture: z.strictObject({ share, delayMs: rangeMs }),
    /** Of the captures are told to the gateway `times` more than once. */
    repeatedCallback: z.strictObject({ share, times: z.int().min(0) }),
  }),
  /** The sale is held `2 × rounds` times, every second time besieged. */
  siege: siege.optional(),
});
export type Scenario = z.infer<typeof scenarioSchema>;

const folder = (): string => path.join(repositoryRoot(), 'scenarios');

/** The scenarios that can be played, the default first. */
export function scenarioNames(): string[] {
  const names = readdirSync(folder()).filter((file) => file.endsWith('.json')).map((file) => path.basename(file, '.json'));
  return names.toSorted((a, b) => Number(b === 'first-week') - Number(a === 'first-week') || a.localeCompare(b));
}

/** Reads and checks a scenario, with the text of its data. Throws one sentence that names every fault. */
export function loadScenario(name: string): { scenario: Scenario; csv: string } {
  if (!scenarioNames().includes(name)) throw new Error(`there is no scenario ${name}; there are: ${scenarioNames().join(', ')}`);
  const parsed = scenarioSchema.safeParse(JSON.parse(readFileSync(path.join(folder(), `${name}.json`), 'utf8')));
  if (!parsed.success) {
    throw new Error(`scenario ${name}: ${parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')}`);
  }
  const data = path.join(folder(), 'data', parsed.data.data.file);
  if (!existsSync(data)) throw new Error(`scenario ${name} needs scenarios/data/${parsed.data.data.file}`);
  return { scenario: parsed.data, csv: readFileSync(data, 'utf8') };
}
