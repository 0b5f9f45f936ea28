import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, it } from '@jest/globals';

import { parseStat, readCpu, readMemory, usedBetween } from './process-cpu.js';

it('reads a process whose name is meant to confuse', () => {
  expect(parseStat('42 (a) R 1 (b)) S 7 42 42 0 -1 4194304 1 2 3 4 10 20 300 4000 20 0 1 0 99 1 1')).toEqual({ pid: 42, parent: 7, ticks: 4330 });
});

it('counts what a process did, and what those did that it started, ended ones too', async () => {
  const busy = (ms: number): string => `for (const end = process.cpuUsage().user + ${ms * 1_000}; process.cpuUsage().user < end;);`;
  const code = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(busy(300))}]); ${busy(200)} console.log('done'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const roots = { child: child.pid! };
    const before = readCpu(roots);
    await once(child.stdout, 'data');
    expect(usedBetween(before, readCpu(roots))['child']).toBeGreaterThan(450_000);
    expect(readMemory(roots)['child']).toBeGreaterThan(1e6);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  expect(() => readCpu({ gone: child.pid! })).toThrow('is gone');
});
