import { cpuPerOperation, perSecond } from '../measurement.js';
import { times, type Comparison } from './comparison.js';
import { measureSales, warmUp } from './sales.js';

/** A sale, from the first byte of the request to the committed row. */
export const accepted: Comparison = {
  name: 'accepted',
  title: 'Accepted: a sale from the request to the committed row',
  operation: 'sale on record',
  subjects: ['floodgate', 'tutorial', 'tuned', 'floor'],
  targets: [
    { name: 'CPU per sale, tutorial ÷ floodgate', of: times(cpuPerOperation, 'tutorial', 'floodgate'), sense: 'at-least', must: 12, stretch: 18 },
    { name: 'CPU per sale, tuned ÷ floodgate', of: times(cpuPerOperation, 'tuned', 'floodgate'), sense: 'at-least', must: 7, stretch: 10 },
    { name: 'CPU, floodgate sale ÷ bare HTTP request', of: times(cpuPerOperation, 'floodgate', 'floor'), sense: 'at-most', must: 3.5, stretch: 2.5 },
    { name: 'sales on record per second, floodgate ÷ tutorial', of: times(perSecond, 'floodgate', 'tutorial'), sense: 'at-least', must: 8, stretch: 12 },
    { name: 'reservation → committed row at saturation, p99 ms', of: (round) => round.get('floodgate')?.extra?.['reserved → row p99 ms'] ?? NaN, sense: 'at-most', must: 250, stretch: 80 },
  ],
  warmUp,
  measure: (arena, subject, options) => measureSales(arena.subject(subject), options, null),
};
