import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { postgresDataDir } from '../infra/postgres-data-dir.js';
import { BenchArena, type Profile } from './arena.js';
import type { Comparison, RoundOptions } from './comparisons/comparison.js';
import { cpuPerOperation, perSecond, type Measurement } from './measurement.js';
import { rotated } from './statistics.js';

export interface BenchOptions {
  readonly rounds: number;
  /** Of load, per subject, comparison and round. */
  readonly seconds: number;
  readonly connections: number;
  readonly comparisons: readonly Comparison[];
  /** For data and logs; removed afterwards, logs only after a run that came to its end. */
  readonly stateDir: string;
  readonly profile: Profile | null;
  readonly signal: AbortSignal;
  /** Aborted by whoever cannot wait for an orderly end. */
  readonly hurry?: AbortSignal;
  readonly note: (line: string) => void;
}

/** The measurements of a comparison, one map of subjects per round. */
export interface Measured {
  readonly comparison: Comparison;
  readonly rounds: readonly ReadonlyMap<string, Measurement>[];
}

/** Warm-ups are as long as a round, but not longer than this. */
const warmUpSecondsMax = 4;
/** So many answers for each second of a round: the compiler has not seen the hot functions often enough before. */
const warmUpAnswersPerSecond = 4_000;
const answersMin = 2_000;

/** Starts everybody, measures in turn, stops everybody. Throws where somebody does not start, or the run was stopped. */
export async function runBench(options: BenchOptions): Promise<Measured[]> {
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const arena = new BenchArena(options.stateDir, options.profile, options.note);
  options.hurry?.addEventListener('abort', () => arena.platform.killNow(), { once: true });
  let complete = false;
  try {
    await arena.start();
    const measured = await measureAll(arena, options);
    complete = true;
    return measured;
  } finally {
    await arena.stop();
    const parts = complete ? [options.stateDir] : ['redis', 'rabbitmq', 'sandbox', 'secrets.json'].map((name) => path.join(options.stateDir, name));
    for (const dir of [postgresDataDir(options.stateDir), ...parts]) rmSync(dir, { recursive: true, force: true });
  }
}

async function measureAll(arena: BenchArena, { rounds, seconds, connections, comparisons, signal, note }: BenchOptions): Promise<Measured[]> {
  const options: RoundOptions = { seconds, connections, answersMin, signal };
  const warmed = new Set<string>();
  for (const { warmUp, subjects } of comparisons) {
    for (const name of warmUp ? subjects.filter((one) => !warmed.has(one)) : []) {
      note(`warming up ${name}`);
      await warmUp?.(arena.subject(name), { ...options, seconds: Math.min(seconds, warmUpSecondsMax), answersMin: warmUpAnswersPerSecond * Math.min(seconds, warmUpSecondsMax) });
      warmed.add(name);
    }
  }
  const measured = comparisons.map((comparison) => ({ comparison, rounds: [] as Map<string, Measurement>[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { comparison, rounds: done } of measured) {
      const found = new Map<string, Measurement>();
      for (const name of rotated(comparison.subjects, round)) {
        const measurement = await comparison.measure(arena, name, options);
        if (signal.aborted) throw new Error('stopped');
        found.set(name, measurement);
        note(`round ${round + 1} of ${rounds} · ${comparison.name} · ${lineOf(name, measurement)}`);
      }
      done.push(found);
    }
  }
  return measured;
}

function lineOf(name: string, measurement: Measurement): string {
  const { audit, latencyMs } = measurement;
  const strange = Object.entries(measurement.answers ?? {}).filter(([status]) => status !== '202' && status !== '409').map(([status, count]) => ` · ${count} × ${status === '0' ? 'no answer' : status}`);
  return `${name.padEnd(10)} ${cpuPerOperation(measurement).toFixed(1).padStart(8)} µs · ${Math.round(perSecond(measurement)).toLocaleString('en').padStart(7)}/s${latencyMs ? ` · p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms` : ''}${audit ? ` · audit ${audit}` : ''}${strange.join('')}`;
}
