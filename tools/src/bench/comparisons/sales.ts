import { load } from '../load/load.js';
import type { Measurement } from '../measurement.js';
import { readCpu, readMemory, usedBetween } from '../process-cpu.js';
import type { Offering, Subject } from '../subjects/subject.js';
import type { RoundOptions } from './comparison.js';

/** More than anybody sells in a round. */
const endless = 1_000_000;
const pollMs = 100;
/** A peer accepts twice what it can write down; longer than this nobody waits for the rest. */
const persistWithinMs = 120_000;

/** Sales from the first request until the last row is committed. @param perSecond open loop; null: closed */
export async function measureSales(subject: Subject, options: RoundOptions, perSecond: number | null): Promise<Measurement> {
  const offering = await subject.offer(endless);
  const { roots } = subject;
  const before = readCpu(roots);
  const startedAtMs = performance.now();
  const { answers, latencyMs, seconds } = await load({ ...options, origin: offering.origin, request: offering.request, perSecond });
  const answered = answers.get(202) ?? 0;
  const persisted = await settled(offering, answered, options);
  const wholeSeconds = offering.persisted === null ? seconds : (persisted.atMs - startedAtMs) / 1_000;
  const cpuUs = usedBetween(before, readCpu(roots));
  return { operations: persisted.rows, seconds: wholeSeconds, cpuUs, latencyMs, memoryBytes: readMemory(roots), answers: Object.fromEntries(answers), ...(await inspected(offering)) };
}

/** A process that has just started is slower at first; nobody's figures begin with that. Leaves no work behind. */
export async function warmUp(subject: Subject, options: RoundOptions): Promise<void> {
  for (const units of [endless, 0]) {
    const offering = await subject.offer(units);
    const { answers } = await load({ ...options, origin: offering.origin, request: offering.request, perSecond: null });
    await settled(offering, answers.get(202) ?? 0, options);
  }
}

/** Waits until every accepted sale is on record and no more come: some were admitted whose buyers were cut off. */
async function settled({ persisted }: Offering, answered: number, { signal }: RoundOptions): Promise<{ rows: number; atMs: number }> {
  if (!persisted) return { rows: answered, atMs: 0 };
  const untilMs = performance.now() + persistWithinMs;
  let last = { rows: -1, atMs: 0 };
  while (!signal.aborted && performance.now() < untilMs) {
    const rows = await persisted();
    if (rows === last.rows && rows >= answered) return last;
    if (rows !== last.rows) last = { rows, atMs: performance.now() };
    await new Promise((resolve) => {
      setTimeout(resolve, pollMs);
    });
  }
  return last;
}

async function inspected(offering: Offering): Promise<Pick<Measurement, 'audit' | 'extra'>> {
  if (!offering.inspect) return {};
  const { audit, reservedToRowMs: { p50, p99 } } = await offering.inspect();
  return { audit, extra: { 'reserved → row p50 ms': p50, 'reserved → row p99 ms': p99 } };
}
