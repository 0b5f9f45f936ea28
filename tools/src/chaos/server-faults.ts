import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';

import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import { Client } from 'pg';

import type { Arena } from './arena.js';

const memoryNormally = '1GB';
const diskFreeNormally = '64MB';

/** The purge comes into a queue that its consumer has just given everything back to. */
const purgesMax = 200;
const purgeEveryMs = 20;

/** A command to Redis, past the links. */
async function tellRedis(arena: Arena, command: string, ...args: string[]): Promise<void> {
  const redis = new Redis(arena.platform.run.redis.url, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => undefined); // what matters is thrown by the call
  try {
    await redis.connect();
    await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
}

export const emptyRedis = (arena: Arena): Promise<void> => tellRedis(arena, 'FLUSHALL');
export const forgetScripts = (arena: Arena): Promise<void> => tellRedis(arena, 'SCRIPT', 'FLUSH');

/** Redis dies and finds its append-only file as it was `lastsMs` ago. */
export async function rollBackRedis(arena: Arena, { lastsMs }: { lastsMs: number }): Promise<void> {
  const now = path.join(arena.redisDir, 'appendonlydir');
  const older = path.join(arena.redisDir, 'older');
  cpSync(now, older, { recursive: true });
  await arena.pauses.sleep(lastsMs);
  const before = arena.platform.pidOf('redis');
  // It stands still while its files are exchanged: not a byte of its own goes into them any more.
  arena.signal('redis', 'SIGSTOP');
  rmSync(now, { recursive: true, force: true });
  cpSync(older, now, { recursive: true });
  rmSync(older, { recursive: true, force: true });
  arena.signal('redis', 'SIGKILL');
  await arena.replaced('redis', before);
}

export async function stopBrokerApp(arena: Arena, { lastsMs }: { lastsMs: number }): Promise<void> {
  await arena.platform.controlBroker('stop_app');
  await arena.pauses.sleep(lastsMs);
  await arena.platform.controlBroker('start_app');
  await arena.platform.untilReady('rabbitmq');
}

export async function raiseMemoryAlarm(arena: Arena, { lastsMs }: { lastsMs: number }): Promise<void> {
  await arena.platform.controlBroker('set_vm_memory_high_watermark', 'absolute', '1MB');
  await arena.pauses.sleep(lastsMs);
  await arena.platform.controlBroker('set_vm_memory_high_watermark', 'absolute', memoryNormally);
}

export async function raiseDiskAlarm(arena: Arena, { lastsMs }: { lastsMs: number }): Promise<void> {
  await arena.platform.controlBroker('set_disk_free_limit', '100000GB');
  await arena.pauses.sleep(lastsMs);
  await arena.platform.controlBroker('set_disk_free_limit', diskFreeNormally);
}

/** Confirmed reservations vanish from their queue while nobody consumes it. Resolves to how many messages it were. */
export async function loseMessages(arena: Arena): Promise<number> {
  const connection = await connect(arena.platform.run.rabbitmq.url);
  connection.on('error', () => undefined); // the next call says it
  try {
    const channel = await connection.createChannel();
    const before = arena.platform.pidOf('order');
    arena.signal('order', 'SIGKILL');
    let lost = 0;
    for (let tries = 0; tries < purgesMax && lost === 0; tries++) {
      lost = (await channel.purgeQueue(`${arena.namespace}.order.place-order`)).messageCount;
      if (lost === 0) await arena.pauses.sleep(purgeEveryMs);
    }
    await arena.replaced('order', before);
    return lost;
  } finally {
    await connection.close();
  }
}

/** Ends every session of the database from the server's side. */
export async function terminateSessions(arena: Arena): Promise<void> {
  const client = new Client({ connectionString: arena.platform.run.postgres.url });
  await client.connect();
  try {
    await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
  } finally {
    await client.end();
  }
}
