import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { freePort } from './free-port.js';
import { greets } from './greeting.js';
import { identify } from './process-identity.js';
import { SupervisedProcess, type ServerSpec } from './supervised-process.js';

const dir = mkdtempSync(path.join(tmpdir(), 'floodgate-supervised-'));
const started: SupervisedProcess[] = [];
afterEach(async () => void (await Promise.all(started.splice(0).map((server) => server.stop()))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A server that answers `pong`, or does what `extra` says first. */
async function server(extra = '', changes: Partial<ServerSpec> = {}): Promise<{ supervised: SupervisedProcess; events: string[]; logFile: string }> {
  const port = await freePort();
  const logFile = path.join(dir, `${port}.log`);
  const code = `${extra}; require('node:net').createServer((socket) => socket.on('error', () => {}).end('pong')).listen(${port}, '127.0.0.1')`;
  const events: string[] = [];
  const supervised = new SupervisedProcess({
    name: 'fixture',
    launch: () => Promise.resolve({ command: process.execPath, args: ['-e', code], env: {}, logFile }),
    isReady: () => greets(port, 'ping', /pong/),
    readyWithinMs: 20_000, stopSignal: 'SIGTERM', stopWithinMs: 5_000, ...changes,
  }, (event) => void events.push(event));
  started.push(supervised);
  return { supervised, events, logFile };
}

describe('a supervised process', () => {
  it('is the process itself, in a group of its own', async () => {
    const { supervised } = await server();
    await supervised.start();
    const fields = readFileSync(`/proc/${supervised.pid!}/stat`, 'utf8').split(') ')[1]!.split(' ');
    expect(readFileSync(`/proc/${supervised.pid!}/cmdline`, 'utf8').split('\0')[0]).toBe(process.execPath);
    expect([Number(fields[1]), Number(fields[2])]).toEqual([process.pid, supervised.pid]);
  });

  it('is started again on its port after a SIGKILL, at once and as another process', async () => {
    const { supervised, events } = await server();
    await supervised.start();
    const before = supervised.pid!;
    process.kill(before, 'SIGKILL');
    await eventually(() => expect(supervised.lastPid).not.toBe(before), { timeoutMs: 5_000 });
    await supervised.untilReady();
    expect(events).toEqual(['started', 'died', 'restarted']);
  });

  it('that dies again and again is given up while it never was ready, with the end of its log', async () => {
    const { supervised } = await server(`console.error('cannot read my configuration'); process.exit(3)`);
    await expect(supervised.start()).rejects.toThrow(/ended while it started \(exit 3\)[\s\S]*cannot read my configuration/);
  });

  it('that does not become ready in time is reported with the end of its log', async () => {
    const { supervised } = await server(`console.log('waiting for nobody')`, { isReady: () => Promise.resolve(false), readyWithinMs: 1_500 });
    await expect(supervised.start()).rejects.toThrow(/not ready within 1.5 s[\s\S]*waiting for nobody/);
  });

  it('that ignores SIGTERM is ended by force within its bound', async () => {
    const { supervised, events } = await server(`process.on('SIGTERM', () => {})`, { stopWithinMs: 300 });
    await supervised.start();
    const pid = supervised.pid!;
    await supervised.stop();
    expect(identify(pid)).toBeNull();
    expect(events).toEqual(['started', 'killed']);
  });

  it('takes the helpers in its group along when it dies', async () => {
    const { supervised, logFile } = await server(`console.log('helper', require('node:child_process').spawn('sleep', ['600'], { stdio: 'ignore' }).pid)`);
    await supervised.start();
    const helper = Number(/helper (\d+)/.exec(readFileSync(logFile, 'utf8'))![1]);
    expect(identify(helper)).not.toBeNull();
    await supervised.stop();
    await eventually(() => expect(identify(helper)).toBeNull());
  });

  it('that was stopped stays stopped', async () => {
    const { supervised, events } = await server();
    await supervised.start();
    await supervised.stop();
    await supervised.stop();
    expect([supervised.pid, events]).toEqual([null, ['started']]);
  });
});
