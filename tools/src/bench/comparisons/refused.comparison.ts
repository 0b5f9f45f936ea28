import { load } from '../load/load.js';
import { cpuPerOperation, perSecond } from '../measurement.js';
import { readCpu, readMemory, usedBetween } from '../process-cpu.js';
import { times, type Comparison } from './comparison.js';
import { warmUp } from './sales.js';

/** What everybody gets who comes too late, and that is nearly everybody. */
export const refused: Comparison = {
  name: 'refused',
  title: 'Refused: a grab in a sale that is sold out',
  operation: 'refusal',
  subjects: ['floodgate', 'tutorial', 'tuned', 'floor'],
  targets: [
    { name: 'CPU, floodgate ÷ bare early reply', of: times(cpuPerOperation, 'floodgate', 'floor'), sense: 'at-most', must: 1.35, stretch: 1.1 },
    { name: 'CPU, tutorial ÷ floodgate', of: times(cpuPerOperation, 'tutorial', 'floodgate'), sense: 'at-least', must: 8, stretch: 12 },
    { name: 'refusals per second, floodgate ÷ tutorial', of: times(perSecond, 'floodgate', 'tutorial'), sense: 'at-least', must: 4.5, stretch: 7 },
  ],
  warmUp,
  async measure(arena, name, options) {
    const subject = arena.subject(name);
    const { origin, request, inspect } = await subject.offer(0);
    const { roots } = subject;
    const before = readCpu(roots);
    const { answers, latencyMs, seconds } = await load({ ...options, origin, request, perSecond: null });
    const cpuUs = usedBetween(before, readCpu(roots));
    return { operations: answers.get(409) ?? 0, seconds, cpuUs, latencyMs, memoryBytes: readMemory(roots), answers: Object.fromEntries(answers), ...(inspect ? { audit: (await inspect()).audit } : {}) };
  },
};
