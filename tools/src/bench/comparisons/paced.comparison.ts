import type { Measurement } from '../measurement.js';
import { times, type Comparison } from './comparison.js';
import { measureSales, warmUp } from './sales.js';

/** Below what any of them can do, so that waiting comes from the design and not from a queue that only grows. */
const salesPerSecond = 1_000;
const p99 = ({ latencyMs }: Measurement): number => latencyMs?.p99 ?? NaN;

/** How long buyers wait who come at a steady rate, whatever becomes of those before them. */
export const paced: Comparison = {
  name: 'paced',
  title: `At ${salesPerSecond.toLocaleString('en')} sales a second, open loop`,
  operation: 'sale on record',
  subjects: ['floodgate', 'tutorial', 'tuned', 'floor'],
  targets: [{ name: 'p99, tutorial ÷ floodgate', of: times(p99, 'tutorial', 'floodgate'), sense: 'at-least', must: 5, stretch: 12 }],
  warmUp,
  measure: (arena, subject, options) => measureSales(arena.subject(subject), options, salesPerSecond),
};
