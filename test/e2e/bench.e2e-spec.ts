import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BenchReport } from '../../tools/src/bench/bench-report.js';

/**
 * CPU of one operation in bare HTTP requests of the same run. Processes that have only just started need two fifths of this: what fails here
 * is a change that made things several times as expensive, and not a noisy neighbour. Nor may they ever cost what the tutorial costs.
 */
const timesFloorMax = { accepted: 35, refused: 9 } as const;
const timeoutMs = 540_000;

/** Runs the command as people do; resolves when it has ended. */
function bench(...args: string[]): Promise<{ code: number; output: string }> {
  const { REDIS_URL: _redis, AMQP_URL: _amqp, DATABASE_URL: _database, NODE_OPTIONS: _options, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, [path.resolve('dist/tools/main.js'), 'bench', ...args], { env, timeout: timeoutMs - 30_000, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, output: stdout + stderr });
    });
  });
}

describe('promise: what a sale and a refusal cost stays within sight of a bare HTTP request', () => {
  it('npm run bench measures everybody, audits what was sold, and finds nothing gone out of hand', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'floodgate-bench-'));
    try {
      const file = path.join(folder, 'bench.json');
      const { code, output } = await bench('--rounds', '1', '--seconds', '0.5', '--only', 'accepted,refused', '--report', file);
      expect([output, code]).toEqual([expect.stringContaining('· audit clean'), 0]);
      const report = JSON.parse(readFileSync(file, 'utf8')) as BenchReport;
      expect(report.comparisons.map(({ name }) => name)).toEqual(['accepted', 'refused']);
      for (const { name, subjects } of report.comparisons) {
        const cpu = new Map(subjects.map((subject) => [subject.name, subject.cpuUsPerOperation.median]));
        expect([...cpu.keys()]).toEqual(['floodgate', 'tutorial', 'tuned', 'floor']);
        for (const us of cpu.values()) expect(us).toBeGreaterThan(0);
        expect(cpu.get('floodgate')! / cpu.get('floor')!).toBeLessThan(timesFloorMax[name as keyof typeof timesFloorMax]);
        expect(cpu.get('floodgate')!).toBeLessThan(cpu.get('tutorial')!);
      }
      expect(readFileSync(path.join(folder, 'bench.md'), 'utf8')).toContain('## Refused');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, timeoutMs);
});
