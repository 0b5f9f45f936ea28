import { mkdirSync } from 'node:fs';

import { Pauses } from '../scenario/pauses.js';
import { Arena } from './arena.js';
import { judgeChaos, type ChaosVerdict, type SaleFacts } from './chaos-verdict.js';
import { KillRush } from './kill-rush.js';
import { killScenarios } from './kill-scenarios.js';
import { Operations } from './operations.js';
import { removeData } from './run-chaos.js';

export interface KillsOptions {
  /** Each scenario so many times. */
  readonly rounds: number;
  readonly units: number;
  /** Buyers of the rush in whose middle the kill comes, and of the one after it. */
  readonly buyers: readonly [number, number];
  readonly stateDir: string;
  readonly signal: AbortSignal;
  /** Aborted by whoever cannot wait for an orderly end. */
  readonly hurry?: AbortSignal;
  readonly note: (line: string) => void;
}

/** One scenario, once. `told`: keys that were answered 202. `stuck`: units that nobody holds and nobody can buy. */
export interface KillResult {
  readonly killed: string;
  readonly told: number;
  readonly orders: number;
  readonly lost: number;
  readonly oversold: number;
  readonly stuck: number;
  /** Winners who asked again with the same key, and those of them who were told the same. */
  readonly askedAgain: number;
  readonly toldTheSame: number;
  /** Keys that did not know for a while. */
  readonly doubted: number;
  readonly seconds: number;
  readonly findings: readonly string[];
}

export interface KillsReport {
  readonly verdict: ChaosVerdict;
  readonly units: number;
  readonly buyers: number;
  readonly results: readonly KillResult[];
}

/** The kill comes when this share of the units is sold. */
const killAtShare = 0.25;
const pollMs = 5;

/** Kills in the middle of a rush, one scenario after the other, and counts. Throws where the platform does not start. */
export async function runKills(options: KillsOptions): Promise<KillsReport> {
  const pauses = new Pauses();
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const arena = new Arena(options.stateDir, 1, pauses, options.note);
  const stop = (): void => pauses.stop();
  if (options.signal.aborted) stop();
  options.signal.addEventListener('abort', stop, { once: true });
  options.hurry?.addEventListener('abort', () => arena.platform.killNow(), { once: true });
  let verdict: ChaosVerdict = 'unknown';
  try {
    await arena.start();
    const results: KillResult[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      for (const name of Object.keys(killScenarios)) {
        if (!pauses.stopped) results.push(await play(arena, name, options));
      }
    }
    const complete = results.length === options.rounds * Object.keys(killScenarios).length;
    verdict = results.some(isWrong) ? 'invalid' : !complete || results.some(({ findings }) => findings.length > 0) ? 'unknown' : 'valid';
    return { verdict, units: options.units, buyers: options.buyers[0] + options.buyers[1], results };
  } finally {
    options.signal.removeEventListener('abort', stop);
    await arena.stop();
    removeData(options.stateDir, { logsToo: verdict === 'valid' });
  }
}

async function play(arena: Arena, name: string, { units, buyers, note, signal }: KillsOptions): Promise<KillResult> {
  const startedAtMs = Date.now();
  const rush = new KillRush(arena.platform.run, name, units, new Operations().heard);
  const stop = (): void => rush.stage.pauses.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await rush.start();
    note(`${name}: ${units} units, ${buyers[0]} buyers and then ${buyers[1]} more`);
    const first = rush.buyers(0, buyers[0]);
    while (rush.winners < units * killAtShare && !arena.pauses.stopped) await arena.pauses.sleep(pollMs);
    note(`${name}: killed with ${rush.winners} units sold`);
    await Promise.all([first, killScenarios[name]!(arena)]);
    await rush.buyers(buyers[0], buyers[1]);
    await arena.heal();
    const again = await rush.askAgain();
    const result = resultOf(name, rush, await rush.facts(), { units, again, startedAtMs });
    note(`${name}: told ${result.told}, orders ${result.orders}, lost ${result.lost}, oversold ${result.oversold}, stuck ${result.stuck}; ${result.toldTheSame} of ${result.askedAgain} winners were told the same again`);
    return result;
  } finally {
    signal.removeEventListener('abort', stop);
    await rush.stage.close();
  }
}

function resultOf(killed: string, rush: KillRush, facts: SaleFacts, { units, again, startedAtMs }: { units: number; again: { asked: number; same: number }; startedAtMs: number }): KillResult {
  const { classes, findings } = judgeChaos({
    sales: [facts], counts: new Operations().counts, expectedOperations: [], hits: new Map(), neverSoldAgain: [], doubts: [], strangeLetters: 0, missingLetters: 0,
  });
  // The winners' orders are open: that is how this ends.
  const lasting = findings.filter((finding) => !/orders had not ended$/.test(finding));
  const held = facts.records.orders?.filter(({ state }) => state !== 'RELEASED').length ?? 0;
  return {
    killed, told: rush.winners, orders: held, lost: classes.lost + classes.takenBack, oversold: Math.max(0, held - units), stuck: Math.max(0, units - held),
    askedAgain: again.asked, toldTheSame: again.same, doubted: rush.doubted, seconds: Math.round((Date.now() - startedAtMs) / 1_000), findings: lasting,
  };
}

function isWrong({ lost, oversold, stuck, askedAgain, toldTheSame, findings }: KillResult): boolean {
  return lost + oversold + stuck > 0 || askedAgain !== toldTheSame || findings.some((finding) => !finding.includes('unknown: '));
}

/** The results as one page for people, in Markdown. */
export function killsPage({ verdict, units, buyers, results }: KillsReport): string {
  return [
    `# Kills: ${verdict}`, '', `${units} units, ${buyers} buyers; SIGKILL in the middle.`, '',
    '| Killed | Told yes | Orders | Lost | Oversold | Stuck | Asked again, told the same | Did not know for a while | Seconds |', '|---|---|---|---|---|---|---|---|---|',
    ...results.map((one) => `| ${one.killed} | ${one.told} | ${one.orders} | ${one.lost} | ${one.oversold} | ${one.stuck} | ${one.askedAgain}, ${one.toldTheSame} | ${one.doubted} | ${one.seconds} |`),
    '', ...results.flatMap(({ killed, findings }) => findings.map((finding) => `- ${killed}: ${finding}`)), '',
  ].join('\n');
}
