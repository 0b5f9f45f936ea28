import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { identify } from '../process/process-identity.js';
import { Ownership } from './ownership.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'floodgate-owner-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const write = (owner: object): void => writeFileSync(path.join(dir, 'owner.json'), JSON.stringify(owner));

describe('who owns a clone', () => {
  it('is one supervisor at a time', () => {
    const first = new Ownership(dir);
    expect([first.acquire(), new Ownership(dir).acquire()]).toEqual(['acquired', 'taken']);
    expect(first.current()?.pid).toBe(process.pid);
    first.release();
    expect(new Ownership(dir).current()).toBeNull();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is nobody when the pid now belongs to another process', () => {
    write({ supervisor: { pid: process.pid, startedAt: 'long ago' }, children: [] });
    expect(new Ownership(dir).current()).toBeNull();
    expect(new Ownership(dir).acquire()).toBe('acquired');
  });

  it('is nobody when the machine crashed while the file was written', () => {
    writeFileSync(path.join(dir, 'owner.json'), '{"superv');
    expect(new Ownership(dir).acquire()).toBe('acquired');
  });

  it('children of a dead supervisor are ended, a stranger with the pid of one is not', async () => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    const identity = identify(child.pid!)!;
    write({ supervisor: { pid: process.pid, startedAt: 'long ago' }, children: [identity, { pid: process.pid, startedAt: 'long ago' }] });
    expect(new Ownership(dir).clearStale()).toBe(1);
    await eventually(() => expect(identify(identity.pid)).toBeNull());
  });
});
