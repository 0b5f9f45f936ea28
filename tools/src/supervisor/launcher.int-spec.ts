import { readFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, describe, expect, it } from '@jest/globals';

import { loadToolsConfig } from '../config.js';
import { eventually } from '../support/eventually.js';
import { FakeClone } from '../support/fake-clone.js';

const upWithin = { timeoutMs: 90_000 };
const goneWithin = { timeoutMs: 40_000 };

let clone: FakeClone | null = null;
afterEach(() => {
  clone?.remove();
  clone = null;
});

/** A clone that uses the servers of this test run, so that it is up in a moment. */
function cloneOnGivenServers(): FakeClone {
  const { TEST_REDIS_URL = '', TEST_AMQP_URL = '', TEST_DATABASE_URL = '' } = loadToolsConfig();
  return new FakeClone({ REDIS_URL: TEST_REDIS_URL, AMQP_URL: TEST_AMQP_URL, DATABASE_URL: TEST_DATABASE_URL });
}

const until = async (condition: () => boolean, within: { timeoutMs: number }): Promise<void> => await eventually(() => {
  if (!condition()) throw new Error(`still waiting; so far:\n${clone!.output}\n${clone!.processes().map(({ pid, command }) => `${pid} ${command}`).join('\n')}`);
}, within);

const ppidOf = (pid: number): number => Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[1]);

describe('nothing outlives whoever started it', () => {
  it.each([
    ['npm', 'SIGKILL'], ['npm', 'SIGTERM'], ['bootstrap', 'SIGKILL'], ['supervisor', 'SIGKILL'], ['supervisor', 'SIGTERM'], ['everything in the terminal', 'SIGINT'],
  ] as const)('%s gets %s', async (who, signal) => {
    clone = cloneOnGivenServers();
    const npm = clone.npm('up');
    await until(() => clone!.run !== null, upWithin);
    const supervisor = clone.run!.supervisorPid;
    expect(clone.processes().length).toBeGreaterThanOrEqual(9); // npm, bootstrap, supervisor and six apps
    const target = { npm: npm.pid!, bootstrap: ppidOf(supervisor), supervisor, 'everything in the terminal': -npm.pid! }[who];
    process.kill(target, signal);
    await until(() => clone!.processes().length === 0, goneWithin);
  }, 150_000);

  it('private servers neither, when the supervisor gets SIGKILL; and the next start clears the stale run file', async () => {
    clone = new FakeClone();
    const first = clone.npm('up');
    await until(() => clone!.run !== null, upWithin);
    const names = clone.processes().map(({ command }) => path.basename(command.split(' ')[0]!));
    expect(names).toEqual(expect.arrayContaining(['redis-server', 'beam.smp', 'epmd', 'postgres']));
    const before = clone.run!.supervisorPid;
    process.kill(before, 'SIGKILL');
    await until(() => clone!.processes().length === 0, goneWithin);
    expect([first.exitCode === 0, clone.run!.supervisorPid]).toEqual([false, before]);

    expect(await clone.npmToEnd('audit', '--', 'any-sale')).toBe(1);
    expect(clone.output).toContain('the platform is not up');
    clone.npm('up');
    await until(() => (clone!.run?.supervisorPid ?? before) !== before, upWithin);
    process.kill(clone.run!.supervisorPid, 'SIGTERM');
    await until(() => clone!.processes().length === 0, goneWithin);
    expect(clone.run).toBeNull();
  }, 300_000);
});

describe('up, detached', () => {
  it('returns when every service is ready; a second one is refused; what dies is started again; down stops everything', async () => {
    clone = cloneOnGivenServers();
    expect(await clone.npmToEnd('up', '--', '--detach')).toBe(0);
    const { run } = clone;
    for (const { internalUrl } of run!.services) expect((await fetch(`${internalUrl}/readyz`)).status).toBe(200);
    expect(run).toMatchObject({ redis: { pid: null }, rabbitmq: { pid: null }, postgres: { pid: null } }); // not ours

    expect(await clone.npmToEnd('up')).toBe(1);
    expect(clone.output).toContain('already up');
    expect(await clone.npmToEnd('start')).toBe(1);

    const pidsOf = (): number[] => [...clone!.run!.services.map(({ pid }) => pid), clone!.run!.sandboxPayment.pid];
    const before = pidsOf();
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await until(() => pidsOf().every((pid) => !before.includes(pid)), { timeoutMs: 5_000 });
    for (const { internalUrl } of run!.services) await eventually(async () => expect((await fetch(`${internalUrl}/readyz`)).status).toBe(200));

    expect(await clone.npmToEnd('down')).toBe(0);
    expect([clone.processes(), clone.run]).toEqual([[], null]);
    expect(await clone.npmToEnd('down')).toBe(0);
    expect(clone.output).toContain('nothing is up');
  }, 200_000);
});

describe('start', () => {
  it('refuses an unknown scenario by name, before anything is started', async () => {
    clone = new FakeClone();
    expect(await clone.npmToEnd('start', '--', '--scenario', 'no-such-sale')).toBe(1);
    expect(clone.output).toContain('there is no scenario no-such-sale');
    expect(clone.output).not.toContain('ready');
  }, 60_000);
});
