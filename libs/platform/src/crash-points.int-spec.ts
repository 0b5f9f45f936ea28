import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readCrashConfig } from './config/crash-config.js';
import { armFileOf } from './crash-points.js';
import { eventually } from './support/eventually.js';
import { readPassages } from './support/passages.js';

let root: string;
let folder: string;
beforeAll(() => { root = mkdtempSync(path.join(os.tmpdir(), 'floodgate-crash-')); });
beforeEach(() => { folder = mkdtempSync(path.join(root, 'case-')); });
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A process that passes the point ten times and then, if told so, waits for a line to pass it once more. */
function passer(config: { CRASH_POINT?: string; CRASH_DIR?: string }, more = false): ChildProcess {
  const file = path.join(import.meta.dirname, 'crash-points.ts');
  const code = `import { armCrashPoints, crashPoint } from ${JSON.stringify(file)};
    armCrashPoints('order', ${JSON.stringify(config)});
    for (let i = 0; i < 10; i++) crashPoint('sweep.after-commit');
    if (${more}) process.stdin.on('data', () => { crashPoint('close.after-commit'); process.stdout.write('passed'); });
    process.stdout.write('ready');`;
  return spawn(process.execPath, ['--input-type=module', '--no-warnings', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** How it ended: the signal, or the exit code. */
async function endOf(child: ChildProcess): Promise<string | number> {
  child.stdin?.end();
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return signal ?? code ?? 'nothing';
}

describe('a crash point', () => {
  it('is nothing where no point is armed', async () => {
    expect(await endOf(passer({}))).toBe(0);
    expect(await endOf(passer({ CRASH_DIR: folder }))).toBe(0);
    expect(readPassages(folder)).toEqual([{ service: 'order', point: 'sweep.after-commit', count: 1, what: 'passed' }]);
  });

  it.each([['', 1], ['@1', 1], ['@7', 7]])('armed with sweep.after-commit%s kills at passage %i, and says so before', async (nth, count) => {
    expect(await endOf(passer({ CRASH_POINT: `sweep.after-commit${nth}`, CRASH_DIR: folder }))).toBe('SIGKILL');
    expect(readPassages(folder).at(-1)).toEqual({ service: 'order', point: 'sweep.after-commit', count, what: 'killed' });
  });

  it('is armed by a file at the start, once: the next process lives', async () => {
    writeFileSync(armFileOf(folder, 'order'), 'sweep.after-commit@2\n');
    expect(await endOf(passer({ CRASH_DIR: folder }))).toBe('SIGKILL');
    expect(existsSync(armFileOf(folder, 'order'))).toBe(false);
    expect(await endOf(passer({ CRASH_DIR: folder }))).toBe(0);
  });

  it('is armed in a process that runs, by a signal', async () => {
    const child = passer({ CRASH_DIR: folder }, true);
    let said = '';
    child.stdout?.on('data', (data: Buffer) => { said += data.toString(); });
    await eventually(() => expect(said).toBe('ready'));
    writeFileSync(armFileOf(folder, 'order'), 'close.after-commit');
    child.kill('SIGUSR2');
    await eventually(() => expect(existsSync(armFileOf(folder, 'order'))).toBe(false));
    child.stdin?.write('go');
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
  });

  it.each(['nowhere', 'sweep.after-commit@0', 'sweep.after-commit@x', 'toString'])('%s is refused', async (point) => {
    const child = spawn(process.execPath, ['--input-type=module', '--no-warnings', '-e',
      `import { armCrashPoints } from ${JSON.stringify(path.join(import.meta.dirname, 'crash-points.ts'))}; armCrashPoints('order', { CRASH_POINT: '${point}' });`], { stdio: 'ignore' });
    expect(await endOf(child)).toBe(1);
  });

  it('is refused in production', () => {
    expect(() => readCrashConfig({ NODE_ENV: 'production', CRASH_POINT: 'sweep.after-commit' })).toThrow('this is production');
    expect(() => readCrashConfig({ NODE_ENV: 'production', CRASH_DIR: folder })).toThrow('this is production');
    expect(readCrashConfig({ NODE_ENV: 'production' })).toEqual({});
  });
});
