import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PrivateRedis } from '../support/private.redis.js';
import type { Redis } from 'ioredis';
import { ChallengeController } from './challenge.controller.js';
import { UsedChallengeStore } from './used-challenge.store.js';

let server: PrivateRedis;
let redis: Redis;
let store: UsedChallengeStore;
beforeAll(async () => {
  server = await PrivateRedis.start();
  redis = await server.connect();
  store = new UsedChallengeStore(redis);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const challenge = (changes: object = {}) => ({ saleId: 'Sale000001', id: randomBytes(16).toString('hex'), expiresMs: Date.now() + 180_000, ...changes });

describe('a challenge', () => {
  it('is good once, whoever comes and however many at the same time', async () => {
    const one = challenge();
    const answers = await Promise.all(Array.from({ length: 50 }, () => store.use([one])));
    expect(answers.flat().filter(Boolean)).toHaveLength(1);
  });

  it('is told apart from its neighbours, of its own vector and of other sales', async () => {
    const [a, b] = [challenge(), challenge()];
    expect(await store.use([a, b, a, { ...a, saleId: 'Sale000002' }])).toEqual([true, true, false, true]);
  });

  it('is forgotten a little after it has expired, not earlier', async () => {
    const one = challenge();
    await store.use([one]);
    const [key = ''] = await redis.keys(`challenge:*${one.id}`);
    expect(await redis.pexpiretime(key)).toBe(one.expiresMs + 60_000);
    await store.use([challenge({ id: 'ab'.repeat(8), expiresMs: 1 })]);
    expect(await redis.keys(`challenge:*${'ab'.repeat(8)}`)).toEqual([]);
  });

  it('cannot be used while Redis is away', async () => {
    const other = await PrivateRedis.start();
    const link = await other.connect();
    await other.stop();
    expect(await new ChallengeController(new UsedChallengeStore(link)).useChallenges({ challenges: [challenge()] })).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
    link.disconnect();
  });
});
