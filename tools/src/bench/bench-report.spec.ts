import { describe, expect, it } from '@jest/globals';

import { benchPage } from './bench-page.js';
import { isClean, reportOf } from './bench-report.js';
import { benchTable } from './bench-table.js';
import { times, type Comparison } from './comparisons/comparison.js';
import { cpuPerOperation, type Measurement } from './measurement.js';

const measurement = (us: number, changes: Partial<Measurement> = {}): Measurement =>
  ({ operations: 10, seconds: 2, cpuUs: { gateway: us * 7, redis: us * 3 }, latencyMs: { p50: 1, p90: 2, p99: 3, p999: 4 }, memoryBytes: { gateway: 2 ** 20 }, ...changes });
const comparison: Comparison = {
  name: 'c', title: 'A <comparison>', operation: 'thing', subjects: ['ours', 'theirs'], measure: () => Promise.reject(new Error('nobody measures here')),
  targets: [
    { name: 'easy', of: times(cpuPerOperation, 'theirs', 'ours'), sense: 'at-least', must: 2, stretch: 4 },
    { name: 'hard', of: times(cpuPerOperation, 'ours', 'theirs'), sense: 'at-most', must: 0.1, stretch: 0.05 },
  ],
};
const round = (ours: number, theirs: number, audit: 'clean' | 'unknown' = 'clean') => new Map([['ours', measurement(ours, { audit })], ['theirs', measurement(theirs)]]);
const options = { rounds: 3, seconds: 1, connections: 8 };

describe('the report', () => {
  const report = reportOf([{ comparison, rounds: [round(10, 30), round(20, 60), round(10, 100)] }], options);

  it('is made of medians, and of ratios within each round', () => {
    const [found] = report.comparisons;
    expect(found?.subjects.map(({ name, cpuUsPerOperation, cpuUsByProcess }) => [name, cpuUsPerOperation, cpuUsByProcess])).toEqual([
      ['ours', { median: 10, least: 10, most: 20 }, { gateway: 7, redis: 3 }],
      ['theirs', { median: 60, least: 30, most: 100 }, { gateway: 42, redis: 18 }],
    ]);
    expect(found?.targets.map(({ name, value, verdict }) => [name, value.median, verdict])).toEqual([['easy', 3, 'must'], ['hard', 1 / 3, 'missed']]);
  });

  it('is clean only if every audit is', () => {
    expect(isClean(report)).toBe(true);
    expect(isClean(reportOf([{ comparison, rounds: [round(1, 2), round(1, 2, 'unknown')] }], options))).toBe(false);
  });

  it('is a table that says what is missed, and a page of its own', () => {
    const table = benchTable(report);
    expect(table).toContain('| theirs | 60.0 (30.0–100) | gateway 42.0, redis 18.0 |');
    expect(table).toContain('| hard | 0.333 (0.100–0.333) | ≤ 0.1 | ≤ 0.05 | **no** |');
    expect(table).toContain('Audits of the sales: 3 clean.');
    const page = benchPage(report);
    expect(page).toContain('A &lt;comparison&gt;');
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3)|src=/);
  });
});
