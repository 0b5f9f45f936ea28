import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { loadToolsConfig } from '../config.js';
import { postgresDataDir } from '../infra/postgres-data-dir.js';
import { playScenario, scenarioNames } from '../scenario/play.js';
import { ClonePlatform, floodgateDir } from '../supervisor/clone-platform.js';
import { aborted, type CommandContext } from './command.js';
import { alreadyUp, describe } from './up.command.js';

const demoPrefix = 'demo-';
const interruptedExitCode = 130;

/** The demo: a platform on fresh data, a scenario played against it, the report and the verdict. */
export async function startCommand({ args, note, stop, hurry }: CommandContext): Promise<number> {
  const wish = parseWish(args);
  const clone = new ClonePlatform();
  if (clone.claim() === 'taken') throw new Error(alreadyUp);
  hurry.addEventListener('abort', () => clone.killNow(), { once: true });
  removeOldDemos();
  const stateDir = path.join(floodgateDir(), `${demoPrefix}${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  try {
    const starting = clone.start(stateDir, note);
    starting.catch(() => undefined); // awaited below, unless we are told to stop meanwhile
    await Promise.race([starting, aborted(stop)]);
    if (stop.aborted) return interruptedExitCode;
    const platform = await starting;
    if (wish.observe) await clone.observe(stateDir, note);
    note(`the platform is up; playing ${wish.name}`);
    const playing = playScenario({ ...wish, run: platform.run, signal: stop, note });
    playing.catch(() => undefined); // as above
    await Promise.race([playing, aborted(stop)]);
    if (stop.aborted) return interruptedExitCode;
    const { verdict } = await playing;
    if (!wish.once) {
      describe(platform.run, note);
      note('the platform stays up; Ctrl-C stops it');
      await aborted(stop);
    }
    return verdict === 'clean' ? 0 : 1;
  } finally {
    note('stopping');
    await clone.stop();
    removeDemo(stateDir);
    note('everything is stopped');
  }
}

interface Wish {
  readonly name: string;
  readonly once: boolean;
  readonly observe: boolean;
  readonly reportFile?: string;
  readonly seed?: number;
}

function parseWish(args: readonly string[]): Wish {
  const { values } = parseArgs({
    args: [...args],
    options: { once: { type: 'boolean', default: false }, observe: { type: 'boolean', default: false }, scenario: { type: 'string', default: 'first-week' }, report: { type: 'string' }, seed: { type: 'string' } },
  });
  if (!scenarioNames().includes(values.scenario)) throw new Error(`there is no scenario ${values.scenario}: choose one of ${scenarioNames().join(', ')}`);
  const seed = values.seed === undefined ? undefined : Number(values.seed);
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw new Error(`--seed must be a whole number, not ${values.seed}`);
  const from = loadToolsConfig().INIT_CWD ?? process.cwd(); // npm runs us at the top of the clone, the caller may sit elsewhere
  return {
    name: values.scenario, once: values.once, observe: values.observe,
    ...(values.report === undefined ? {} : { reportFile: path.resolve(from, values.report) }),
    ...(seed === undefined ? {} : { seed }),
  };
}

/** Demos that were killed left their data; we own the clone now, so none of them is in use. */
function removeOldDemos(): void {
  for (const name of readdirSync(floodgateDir())) if (name.startsWith(demoPrefix)) removeDemo(path.join(floodgateDir(), name));
}

function removeDemo(stateDir: string): void {
  for (const dir of [postgresDataDir(stateDir), stateDir]) if (existsSync(dir)) rmSync(dir, { recursive: true, force: true });
}
