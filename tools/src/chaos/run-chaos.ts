import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { CrashPoint } from '@floodgate/platform';

import { postgresDataDir } from '../infra/postgres-data-dir.js';
import { Pauses } from '../scenario/pauses.js';
import { Arena } from './arena.js';
import { recoveriesOf, stepOf, type ChaosReport } from './chaos-report.js';
import { judgeChaos, type SaleFacts } from './chaos-verdict.js';
import { allCrashPoints, storyOf, withdrawalsMax } from './crash-stories.js';
import { Impatience } from './impatience.js';
import { Market } from './market.js';
import { nameOf, Nemesis } from './nemesis.js';
import { Operations, type OperationName } from './operations.js';
import { Operator } from './operator.js';
import { boughtAgain, countLetters } from './own-records.js';
import { completeMinutes, makeSchedule, type Schedule } from './schedule.js';
import { lateTerms, mainTerms, operatedTerms, withdrawnTerms } from './terms.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Of the faults that seed and minutes give, only these; absent: all. */
  readonly only?: (step: Schedule['steps'][number]) => boolean;
  /** For data and logs; removed at the end of a valid run. */
  readonly stateDir: string;
  /** Buyers of the main sale who come per second. */
  readonly perSecond: number;
  /** Where each operation is written down, as NDJSON. */
  readonly historyFile?: string;
  readonly signal: AbortSignal;
  /** Aborted by whoever cannot wait for an orderly end. */
  readonly hurry?: AbortSignal;
  readonly note: (line: string) => void;
}

const lineEveryMs = 3_000;
/** What everybody in the markets does sooner or later. */
const usual: readonly OperationName[] = ['entry', 'reserve', 'replay', 'cancel', 'pay', 'click', 'status', 'pause', 'resume', 'stock', 'close'];

/** Breaks a platform of its own for so many minutes and judges what its buyers were told. Throws where the platform does not start. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const pauses = new Pauses();
  const whole = makeSchedule(options.seed, options.minutes);
  const schedule = { ...whole, steps: whole.steps.filter((step) => options.only?.(step) ?? true) };
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const arena = new Arena(options.stateDir, options.seed, pauses, options.note);
  const run = new Run(arena, schedule, options);
  const stop = (): void => run.stop();
  if (options.signal.aborted) stop();
  options.signal.addEventListener('abort', stop, { once: true });
  options.hurry?.addEventListener('abort', () => arena.platform.killNow(), { once: true });
  let valid = false;
  try {
    options.note(`seed ${options.seed}, ${options.minutes} minutes: ${schedule.steps.length} faults`);
    await arena.start();
    const report = await run.play();
    valid = report.verdict === 'valid';
    return report;
  } finally {
    options.signal.removeEventListener('abort', stop);
    await run.close();
    await arena.stop();
    removeData(options.stateDir, { logsToo: valid });
  }
}

class Run {
  private readonly operations: Operations;
  private readonly markets: Market[] = [];
  private readonly startedAtMs = Date.now();
  private nemesis!: Nemesis;
  private operator!: Operator;
  private impatience!: Impatience;
  private main!: Market;

  constructor(private readonly arena: Arena, private readonly schedule: Schedule, private readonly options: ChaosOptions) {
    this.operations = new Operations(options.historyFile);
  }

  stop(): void {
    this.arena.pauses.stop();
    for (const { stage } of this.markets) stage.pauses.stop();
  }

  async close(): Promise<void> {
    await Promise.all(this.markets.map(({ stage }) => stage.close()));
    await this.operations.close();
  }

  async play(): Promise<ChaosReport> {
    await this.openMarkets();
    const talking = new AbortController();
    const talk = this.talk(talking.signal);
    try {
      await this.nemesis.run(this.schedule.steps);
      await this.nemesis.run(this.missed());
      this.nemesis.now = 'everything is healed; the last buyers come to their end';
      await this.arena.heal();
      await this.impatience.stop();
      await Promise.all([this.operator.close(), ...this.markets.map((market) => market.close())]);
      this.nemesis.now = 'whoever does not know, and many who do, ask once more';
      await Promise.all(this.markets.map((market) => market.askAgain()));
      this.nemesis.now = 'reading the records';
      return await this.report();
    } finally {
      talking.abort();
      await talk;
    }
  }

  private async openMarkets(): Promise<void> {
    const { arena, schedule, options, operations } = this;
    const open = async (terms: Parameters<typeof makeMarket>[1]): Promise<Market> => {
      const market = makeMarket(arena, terms, options.seed, operations);
      this.markets.push(market);
      await market.start();
      return market;
    };
    this.main = await open(mainTerms(options.perSecond));
    const late = await open(lateTerms);
    const operated = await open(operatedTerms);
    const withdrawals = schedule.steps.filter(({ point }) => point !== undefined && storyOf(point) === 'withdrawal').length;
    const doomed: Market[] = [];
    // One more of each, should a withdrawal have to be tried again.
    for (let nth = 1; nth <= Math.min(withdrawals * 2, withdrawalsMax * 2); nth++) doomed.push(await open(withdrawnTerms(nth)));
    this.nemesis = new Nemesis(arena, this.main, async () => {
      const sale = doomed.shift();
      if (!sale) throw new Error('there is no sale left to withdraw');
      await sale.withdraw();
    });
    this.operator = new Operator(operated, options.seed);
    this.operator.start();
    this.impatience = new Impatience(arena, [this.main.id, late.id]);
    this.impatience.start();
  }

  /** Crash points where nobody died yet: one more chance for each. */
  private missed(): Schedule['steps'] {
    return this.schedule.steps.filter(({ point }) => point !== undefined && this.arena.crashes.hits(point) === 0);
  }

  private async report(): Promise<ChaosReport> {
    const { arena, schedule, options, operations, nemesis } = this;
    const read: { market: Market; records: SaleFacts['records'] }[] = [];
    for (const market of this.markets) read.push({ market, records: await market.records() });
    const again = await boughtAgain(arena);
    const sales = read.map(({ market, records }): SaleFacts => ({ name: market.terms.name, told: { ...market.told, boughtAgain: again }, records }));
    const letters = await countLetters(arena, nemesis.poisoned);
    const points = options.minutes >= completeMinutes ? allCrashPoints : [...new Set(schedule.steps.flatMap(({ point }) => point ?? []))];
    const hits = new Map<CrashPoint, number>(points.map((point) => [point, arena.crashes.hits(point)]));
    const withdrawn: OperationName[] = this.markets.some((market) => market.withdrawn) ? ['withdraw'] : [];
    const judgement = judgeChaos({
      sales, counts: operations.counts, expectedOperations: [...usual, ...withdrawn], hits,
      neverSoldAgain: arena.pauses.stopped ? [] : nemesis.struck.filter(({ sellsAfterMs }) => sellsAfterMs === null).map(({ step }) => nameOf(step)),
      doubts: [
        ...nemesis.struck.flatMap(({ step, failed }) => (failed === undefined ? [] : [`${nameOf(step)} could not be caused: ${failed}`])),
        ...this.operator.doubts, ...(arena.pauses.stopped ? ['the run was stopped'] : []),
      ],
      strangeLetters: letters.others.length, missingLetters: Math.max(0, nemesis.poisoned - letters.poisoned),
    });
    return {
      verdict: judgement.verdict, seed: options.seed, minutes: options.minutes, seconds: Math.round((Date.now() - this.startedAtMs) / 1_000),
      operations: { total: operations.total(), ok: operations.total('ok'), fail: operations.total('fail'), unknown: operations.total('unknown') },
      operationsByName: operations.counts, classes: judgement.classes, recovered: judgement.recovered, faults: nemesis.struck.length,
      recoveries: recoveriesOf(nemesis.struck), crashPoints: Object.fromEntries(hits), deadLetters: letters.poisoned + letters.others.length,
      steps: nemesis.struck.map(stepOf), findings: [...judgement.findings, ...letters.others.slice(0, 20).map((text) => `dead letter: ${text}`)].slice(0, 200),
    };
  }

  private async talk(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(lineEveryMs, undefined, { signal }).catch(() => undefined);
      const { operations, nemesis } = this;
      const seconds = Math.round((Date.now() - this.startedAtMs) / 1_000);
      this.options.note(`${seconds} s · fault ${nemesis.struck.length + 1} of ${this.schedule.steps.length} · ${nemesis.now} · ${operations.total()} operations, ${operations.total('unknown')} unknown · ${this.main.sold.length} sold`);
    }
  }
}

const makeMarket = (arena: Arena, terms: Market['terms'], seed: number, operations: Operations): Market => new Market(arena.platform.run, terms, seed, operations.heard);

/** Logs stay for whoever looks into a run that was not valid. */
export function removeData(stateDir: string, { logsToo }: { logsToo: boolean }): void {
  const parts = logsToo ? [stateDir] : ['redis', 'rabbitmq', 'sandbox', 'secrets.json', 'crashes', 'clocks'].map((name) => path.join(stateDir, name));
  for (const dir of [postgresDataDir(stateDir), ...parts]) rmSync(dir, { recursive: true, force: true });
}
