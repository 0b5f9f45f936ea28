import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import amqp from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from 'pg';

import { eventually } from '../support/eventually.js';
import { loadToolsConfig } from '../config.js';
import { isRunning, identify } from '../process/process-identity.js';
import { postgresDataDir } from './postgres-data-dir.js';
import { PrivateInfra } from './private-infra.js';
import { loadSecrets } from './secrets.js';

let stateDir: string;
let infra: PrivateInfra;
const againWithin = { timeoutMs: 60_000 };

beforeAll(async () => {
  stateDir = mkdtempSync(path.join(tmpdir(), 'floodgate-infra-'));
  infra = new PrivateInfra({ stateDir, logDir: path.join(stateDir, 'logs'), config: loadToolsConfig(), passwords: loadSecrets(stateDir), note: () => undefined, onEvent: () => undefined });
  await infra.start();
}, 120_000);

afterAll(async () => {
  const processes = infra.pids.map((pid) => identify(pid)!);
  expect(processes.length).toBeGreaterThanOrEqual(4); // the three servers, and RabbitMQ's port mapper
  await infra.stop();
  expect(processes.filter((one) => isRunning(one))).toEqual([]);
  for (const dir of [postgresDataDir(stateDir), stateDir]) rmSync(dir, { recursive: true, force: true });
}, 60_000);

async function redis<T>(work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(infra.urls.redis, { retryStrategy: () => null, lazyConnect: true });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}

async function postgres(statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: infra.urls.postgres });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function rabbitmq<T>(work: (channel: amqp.ConfirmChannel) => Promise<T>): Promise<T> {
  const model = await amqp.connect(infra.urls.rabbitmq);
  model.on('error', () => undefined);
  try {
    return await work(await model.createConfirmChannel());
  } finally {
    await model.close();
  }
}

describe('the private servers', () => {
  it('listen on loopback alone, below the ports that clients are given, and ask for a password', async () => {
    for (const url of Object.values(infra.urls)) {
      const { hostname, port, password } = new URL(url);
      expect([hostname, Number(port) < 32_768, password.length]).toEqual(['127.0.0.1', true, 32]);
    }
    const { port } = new URL(infra.urls.redis);
    const stranger = new Redis({ port: Number(port), host: '127.0.0.1', retryStrategy: () => null });
    stranger.on('error', () => undefined);
    await expect(stranger.get('a')).rejects.toThrow(/NOAUTH/);
    stranger.disconnect();
  });

  it('keep what they acknowledged: append-only Redis that never evicts, Postgres with fsync', async () => {
    const settings = await redis((client) => Promise.all(['appendonly', 'appendfsync', 'maxmemory-policy', 'save'].map((name) => client.config('GET', name))));
    expect(settings).toEqual([['appendonly', 'yes'], ['appendfsync', 'everysec'], ['maxmemory-policy', 'noeviction'], ['save', '']]);
    expect(await postgres(`select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('full_page_writes') as pages`)).toEqual([{ fsync: 'on', commit: 'on', pages: 'on' }]);
  });

  it('come back on the same address with the same data after a SIGKILL', async () => {
    await redis((client) => client.set('kept', 'yes'));
    await postgres('create table kept as select 1 as it');
    await rabbitmq(async (channel) => {
      await channel.assertQueue('kept', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
      channel.sendToQueue('kept', Buffer.from('yes'), { persistent: true });
      await channel.waitForConfirms();
    });
    // RabbitMQ 3.10 writes the names of its quorum queues half a second late; one killed before that has no leader any more.
    const names = path.join(stateDir, 'rabbitmq', 'mnesia', 'floodgate@localhost', 'quorum', 'floodgate@localhost', 'names.dets');
    await eventually(() => expect(readFileSync(names, 'latin1')).toContain('_kept'));
    const before = (['redis', 'rabbitmq', 'postgres'] as const).map((name) => infra.pid(name)!);
    for (const pid of before) process.kill(pid, 'SIGKILL');

    await eventually(async () => expect(await redis((client) => client.get('kept'))).toBe('yes'), againWithin);
    await eventually(async () => expect(await postgres('select it from kept')).toEqual([{ it: 1 }]), againWithin);
    await eventually(async () => expect(await rabbitmq(async (channel) => (await channel.get('kept', { noAck: true })) || null)).toMatchObject({ content: Buffer.from('yes') }), againWithin);
    for (const pid of before) expect(infra.pids).not.toContain(pid);
  }, 200_000);

  it('tell nobody their passwords through the process table', () => {
    const secrets = Object.values(infra.urls).map((url) => new URL(url).password);
    for (const pid of infra.pids) {
      const shown = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      for (const secret of secrets) expect(shown).not.toContain(secret);
    }
  });
});
