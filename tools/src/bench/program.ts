import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { repositoryRoot } from '../config.js';
import type { Measurement } from './measurement.js';
import { readCpu, readMemory, usedBetween, type Roots } from './process-cpu.js';

/** One of the programs of test/load/programs, with what it needs to know. */
export interface Program {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What is measured at once: those that only answer, and the one that asks. */
export interface Programs {
  readonly asks: Program;
  readonly answers: readonly Program[];
  /** Servers whose time counts as well. */
  readonly servers: Roots;
}

type FromProgram = 'ready' | { operations: number; seconds: number };
const readyWithinMs = 60_000;
const lingerMs = 30_000;
const endWithinMs = 15_000;

/** Starts the programs, lets them work for so long, ends them. @throws where one does not get ready, or ends before it should */
export async function measurePrograms({ asks, answers, servers }: Programs, { seconds, signal }: { seconds: number; signal: AbortSignal }): Promise<Measurement> {
  const children: ChildProcess[] = [];
  const start = async (program: Program): Promise<ChildProcess> => {
    const child = fork(path.join(repositoryRoot(), 'dist', 'load', `${program.name}.js`), [], { cwd: '/', execArgv: [], env: { NODE_ENV: 'production', ...program.env } });
    children.push(child);
    if ((await heard(child, program.name, readyWithinMs, signal)) !== 'ready') throw new Error(`${program.name} did not say that it was ready`);
    return child;
  };
  try {
    const answerers = await Promise.all(answers.map(start));
    const asker = await start(asks);
    const roots: Roots = { [asks.name]: asker.pid!, ...Object.fromEntries(answers.map(({ name }, index) => [name, answerers[index]!.pid!])), ...servers };
    const before = readCpu(roots);
    asker.send({ seconds });
    const done = await heard(asker, asks.name, seconds * 1_000 + lingerMs, signal);
    if (done === 'ready') throw new Error(`${asks.name} did not say what it did`);
    return { ...done, cpuUs: usedBetween(before, readCpu(roots)), latencyMs: null, memoryBytes: readMemory(roots) };
  } finally {
    await Promise.all(children.map(end));
  }
}

/** Lets go of a program, which then takes away what it has left on the servers. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit').catch(() => undefined);
  const timer = setTimeout(() => child.kill('SIGKILL'), endWithinMs);
  if (child.connected) child.disconnect();
  await gone;
  clearTimeout(timer);
}

function heard(child: ChildProcess, name: string, withinMs: number, signal: AbortSignal): Promise<FromProgram> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${name} ${why}`));
    const timer = setTimeout(() => fail(`said nothing for ${withinMs / 1_000} s`), withinMs);
    const stopped = (): void => fail('was stopped');
    signal.addEventListener('abort', stopped, { once: true });
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`ended (exit ${String(code)})`));
    child.once('message', (message: FromProgram) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stopped);
      resolve(message);
    });
  });
}
