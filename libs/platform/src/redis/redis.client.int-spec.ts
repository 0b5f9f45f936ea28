import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { eventually } from '../support/eventually.js';
import { testUrl } from '../support/messaging.harness.js';
import { TcpProxy } from '../support/tcp.proxy.js';
import { createRedis } from './redis.client.js';

describe('createRedis', () => {
  const key = `test:${randomUUID()}`;
  const proxy = new TcpProxy(new URL(testUrl('TEST_REDIS_URL')));
  const observer = createRedis(testUrl('TEST_REDIS_URL'), { name: 'observer' });
  let redis: Redis;

  beforeAll(async () => {
    redis = createRedis(await proxy.start(), { name: 'test', commandTimeoutMs: 10_000 });
    await eventually(() => expect([redis.status, observer.status]).toEqual(['ready', 'ready']));
  });

  afterEach(async () => {
    proxy.release();
    proxy.accept();
    await eventually(() => expect(redis.status).toBe('ready'));
  });

  afterAll(async () => {
    await observer.del(key);
    redis.disconnect();
    observer.disconnect();
    await proxy.stop();
  });

  const value = async () => Number(await observer.get(key));

  it('refuses at once while there is no link, and never runs the command later', async () => {
    const before = await value();
    proxy.refuse();
    await eventually(() => expect(redis.status).not.toBe('ready'));
    await expect(redis.incr(key)).rejects.toThrow();
    proxy.accept();
    await eventually(() => expect(redis.status).toBe('ready'));
    await redis.ping();
    expect(await value()).toBe(before);
  });

  it('a command whose reply was lost has failed and is not sent again', async () => {
    const before = await value();
    proxy.hold();
    const lost = redis.incr(key).then(() => 'answered', () => 'failed');
    await eventually(async () => expect(await value()).toBe(before + 1));
    proxy.cut();
    expect(await lost).toBe('failed');
    proxy.release();
    await eventually(() => expect(redis.status).toBe('ready'));
    await redis.ping();
    expect(await value()).toBe(before + 1);
  });

  it('a command that is not answered ends', async () => {
    const impatient = createRedis(proxy.url, { name: 'impatient', commandTimeoutMs: 200 });
    await eventually(() => expect(impatient.status).toBe('ready'));
    proxy.hold();
    await expect(impatient.get(key)).rejects.toThrow(/timed out/i);
    impatient.disconnect();
  });
});
