import { cpus, totalmem } from 'node:os';

import type { TargetRow } from './comparisons/comparison.js';
import { cpuPerOperation, perSecond, type Measurement } from './measurement.js';
import type { BenchOptions, Measured } from './run-bench.js';
import { spreadOf, type Spread } from './statistics.js';

/** Everything that a run found, as it stands in the JSON file. */
export interface BenchReport {
  readonly at: string;
  readonly machine: { readonly cpus: number; readonly model: string; readonly memoryGiB: number; readonly node: string };
  readonly rounds: number;
  readonly secondsPerRound: number;
  readonly connections: number;
  readonly comparisons: readonly ComparisonReport[];
}

export interface ComparisonReport {
  readonly name: string;
  readonly title: string;
  readonly operation: string;
  readonly subjects: readonly SubjectReport[];
  readonly targets: readonly TargetReport[];
}

export interface SubjectReport {
  readonly name: string;
  readonly cpuUsPerOperation: Spread;
  /** Medians, by process. */
  readonly cpuUsByProcess: Readonly<Record<string, number>>;
  readonly perSecond: Spread;
  readonly p50Ms: Spread | null;
  readonly p99Ms: Spread | null;
  /** Medians, MiB, by process. */
  readonly memoryMiB: Readonly<Record<string, number>>;
  readonly extra: Readonly<Record<string, Spread>>;
  /** Of the rounds that have one. */
  readonly audits: readonly NonNullable<Measurement['audit']>[];
}

export interface TargetReport {
  readonly name: string;
  readonly value: Spread;
  readonly sense: TargetRow['sense'];
  readonly must: number;
  readonly stretch: number;
  readonly verdict: 'stretch' | 'must' | 'missed';
}

/** Sums a run up: medians with their spread, and what they say of the targets. */
export function reportOf(measured: readonly Measured[], { rounds, seconds, connections }: Pick<BenchOptions, 'rounds' | 'seconds' | 'connections'>): BenchReport {
  const [first] = cpus();
  return {
    at: new Date().toISOString(),
    machine: { cpus: cpus().length, model: first?.model ?? 'unknown', memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.versions.node },
    rounds, secondsPerRound: seconds, connections,
    comparisons: measured.map(({ comparison, rounds: all }) => ({
      name: comparison.name, title: comparison.title, operation: comparison.operation,
      subjects: comparison.subjects.map((name) => subjectReport(name, all.map((round) => round.get(name)!))),
      targets: comparison.targets.map((target) => targetReport(target, all)),
    })),
  };
}

/** Whether every sale that was made is accounted for. */
export const isClean = ({ comparisons }: BenchReport): boolean => comparisons.every(({ subjects }) => subjects.every(({ audits }) => audits.every((word) => word === 'clean')));

function subjectReport(name: string, all: readonly Measurement[]): SubjectReport {
  const latency = all.flatMap(({ latencyMs }) => latencyMs ?? []);
  return {
    name,
    cpuUsPerOperation: spreadOf(all.map(cpuPerOperation)),
    cpuUsByProcess: byName(all.map(({ cpuUs, operations }) => mapped(cpuUs, (us) => us / operations))),
    perSecond: spreadOf(all.map(perSecond)),
    p50Ms: latency.length > 0 ? spreadOf(latency.map(({ p50 }) => p50)) : null,
    p99Ms: latency.length > 0 ? spreadOf(latency.map(({ p99 }) => p99)) : null,
    memoryMiB: byName(all.map(({ memoryBytes }) => mapped(memoryBytes, (bytes) => bytes / 2 ** 20))),
    extra: spreads(all.flatMap(({ extra }) => (extra ? [extra] : []))),
    audits: all.flatMap(({ audit }) => audit ?? []),
  };
}

function targetReport({ name, of, sense, must, stretch }: TargetRow, rounds: Measured['rounds']): TargetReport {
  const value = spreadOf(rounds.map(of));
  const reaches = (bound: number): boolean => (sense === 'at-least' ? value.median >= bound : value.median <= bound);
  return { name, value, sense, must, stretch, verdict: reaches(stretch) ? 'stretch' : reaches(must) ? 'must' : 'missed' };
}

const mapped = (record: Readonly<Record<string, number>>, change: (value: number) => number): Record<string, number> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
const spreads = (all: readonly Readonly<Record<string, number>>[]): Record<string, Spread> =>
  Object.fromEntries(Object.keys(all[0] ?? {}).map((name) => [name, spreadOf(all.map((one) => one[name]!))]));
const byName = (all: readonly Readonly<Record<string, number>>[]): Record<string, number> =>
  Object.fromEntries(Object.entries(spreads(all)).map(([name, { median }]) => [name, median]));
