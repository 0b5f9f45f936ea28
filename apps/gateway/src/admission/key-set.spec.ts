import { createHmac } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { SignJWT, base64url, exportJWK, exportSPKI, generateKeyPair, type GenerateKeyPairResult } from 'jose';
import { eventually } from '@floodgate/platform/testing';
import { JwtVerifier } from './jwt.js';
import { KeySet } from './key-set.js';

Logger.overrideLogger(false);
const nowMs = Date.now();
const algorithms = ['RS256', 'ES256', 'EdDSA'] as const;
type Pair = GenerateKeyPairResult & { kid: string; alg: string };
const pairs: Record<string, Pair> = {};
const actor = { accountId: 'buyer-1', roles: ['buyer'] };

beforeAll(async () => {
  for (const alg of [...algorithms, 'PS256']) {
    for (const kid of [`${alg}-1`, `${alg}-2`]) pairs[kid] = { ...(await generateKeyPair(alg, { extractable: true })), kid, alg };
  }
});

/** The provider: what it publishes, whether it is there, how often it was asked. */
const provider = { document: '', away: false, asked: 0 };
let keySet: KeySet;
let verifier: JwtVerifier;

async function publish(...kids: string[]): Promise<void> {
  const keys = await Promise.all(kids.map(async (kid) => ({ ...(await exportJWK(pairs[kid]!.publicKey)), kid, alg: pairs[kid]!.alg, use: 'sig' })));
  provider.document = JSON.stringify({ keys });
}

function token(kid: string, header: Record<string, unknown> = {}, claims: Record<string, unknown> = {}): Promise<string> {
  const { privateKey, alg } = pairs[kid]!;
  return new SignJWT({ sub: 'buyer-1', roles: ['buyer'], exp: Math.floor(nowMs / 1_000) + 3_600, ...claims }).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
}

const verify = async (text: string) => verifier.verify(text, nowMs);

beforeEach(() => {
  Object.assign(provider, { document: '{"keys":[]}', away: false, asked: 0 });
  keySet = new KeySet(async () => {
    provider.asked++;
    if (provider.away) throw new Error('away');
    return provider.document;
  });
  verifier = new JwtVerifier({ secrets: ['a secret of the tests'], keySet });
});

describe('a token of the identity provider', () => {
  it.each(algorithms)('is good by %s, and is verified once', async (alg) => {
    await publish(`${alg}-1`);
    const text = await token(`${alg}-1`);
    expect(await verify(text)).toEqual(actor);
    const again = verifier.verify(text, nowMs);
    expect(again).toEqual(actor);
    expect([verifier.verify(text, nowMs + 3_606_000), provider.asked]).toEqual([null, 1]);
  });

  it('need not name its key', async () => {
    await publish('ES256-1', 'ES256-2', 'EdDSA-1');
    expect(await verify(await token('ES256-2', { kid: undefined }))).toEqual(actor);
    expect(await verify(await token('EdDSA-1', { kid: undefined }))).toEqual(actor);
  });

  it('is nothing by another algorithm, by another key, or changed', async () => {
    await publish('RS256-1', 'ES256-1', 'EdDSA-1', 'PS256-1');
    const [header = '', , signature = ''] = (await token('ES256-1')).split('.');
    const changed = `${header}.${base64url.encode(JSON.stringify({ sub: 'other', roles: ['operator'], exp: 9_999_999_999 }))}.${signature}`;
    const stranger = await token('ES256-2', { kid: 'ES256-1' });
    for (const text of [await token('PS256-1'), stranger, changed, `${await token('ES256-1')}x`]) expect(await verify(text)).toBeNull();
  });

  it('is nothing if a public key is used as a secret', async () => {
    await publish('RS256-1');
    await verify(await token('RS256-1'));
    const secrets = [await exportSPKI(pairs['RS256-1']!.publicKey), provider.document, JSON.stringify(await exportJWK(pairs['RS256-1']!.publicKey))];
    for (const secret of secrets) {
      const text = `${base64url.encode(JSON.stringify({ alg: 'HS256', kid: 'RS256-1' }))}.${base64url.encode(JSON.stringify({ sub: 'buyer-1', roles: ['buyer'], exp: 9_999_999_999 }))}`;
      expect(await verify(`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`)).toBeNull();
    }
  });

  it('is nothing by a symmetric key in the public document', async () => {
    provider.document = JSON.stringify({ keys: [{ kty: 'oct', kid: 'k', k: base64url.encode('x'.repeat(32)), alg: 'HS256' }] });
    expect(await verify(await new SignJWT({ sub: 'buyer-1', roles: [], exp: 9_999_999_999 }).setProtectedHeader({ alg: 'HS256', kid: 'k' }).sign(Buffer.from('x'.repeat(32))))).toBeNull();
  });

  it('is nothing by a key that it brings along or points at', async () => {
    await publish('ES256-1');
    const jwk = await exportJWK(pairs['ES256-2']!.publicKey);
    for (const header of [{ jwk }, { jku: 'https://evil.example/keys' }, { x5u: 'https://evil.example/cert' }, { kid: '../../dev/null' }, { kid: "' OR 1=1" }]) {
      expect(await verify(await token('ES256-2', header))).toBeNull();
    }
  });

  it('is judged by the same claims as any other', async () => {
    await publish('ES256-1');
    for (const claims of [{ sub: 'a b' }, { roles: 'buyer' }, { exp: 1 }, { nbf: 9_999_999_999 }]) expect(await verify(await token('ES256-1', {}, claims))).toBeNull();
  });
});

describe('the provider\'s keys', () => {
  it('may change: a new one is fetched when a token names it, once for all who wait', async () => {
    await publish('ES256-1');
    expect(await verify(await token('ES256-1'))).toEqual(actor);
    await publish('ES256-1', 'ES256-2');
    const texts = await Promise.all(Array.from({ length: 20 }, (_, n) => token('ES256-2', {}, { jti: String(n) })));
    expect(await Promise.all(texts.map(verify))).toEqual(texts.map(() => actor));
    expect(await verify(await token('ES256-1'))).toEqual(actor);
    expect(provider.asked).toBe(2);
  });

  it('may be withdrawn: what they signed is remembered no longer', async () => {
    await publish('ES256-1');
    const text = await token('ES256-1');
    expect(await verify(text)).toEqual(actor);
    await publish('ES256-2');
    expect(await verify(await token('ES256-2'))).toEqual(actor);
    expect(await verify(text)).toBeNull();
  });

  it('go on working while the provider is away; what they cannot judge is unavailable', async () => {
    await publish('ES256-1');
    expect(await verify(await token('ES256-1'))).toEqual(actor);
    provider.away = true;
    expect(await verify(await token('ES256-2'))).toBe('unavailable');
    expect(await verify(await token('ES256-1', {}, { jti: 'another' }))).toEqual(actor);
    provider.away = false;
    expect(await verify(await token('ES256-2'))).toBeNull();
  });

  it('were never fetched: nothing can be judged', async () => {
    provider.away = true;
    expect([keySet.isLoaded, await verify(await token('ES256-1'))]).toEqual([false, 'unavailable']);
  });

  it.each(['', 'no JSON', '[]', '{"keys":{}}', '{}'])('are not lost to a document that is %j', async (document) => {
    await publish('ES256-1');
    expect(await verify(await token('ES256-1'))).toEqual(actor);
    provider.document = document;
    expect(await verify(await token('ES256-2'))).toBe('unavailable');
    expect(await verify(await token('ES256-1', {}, { jti: 'another' }))).toEqual(actor);
  });

  it('are not fetched for every key id that somebody invents, and a crowd of those does not wait', async () => {
    await publish('ES256-1');
    await verify(await token('ES256-1'));
    const invented = await Promise.all(Array.from({ length: 300 }, (_, n) => token('ES256-2', { kid: `k${n}` })));
    const words = await Promise.all(invented.map(verify));
    expect(new Set(words)).toEqual(new Set([null, 'unavailable']));
    expect(words.filter((word) => word === 'unavailable')).toHaveLength(300 - 256);
    expect(provider.asked).toBe(2);
  });

  it('are fetched at the start and from time to time', async () => {
    jest.useFakeTimers({ doNotFake: ['performance', 'nextTick', 'setImmediate', 'setTimeout'] });
    try {
      keySet.start();
      await publish('ES256-1');
      jest.advanceTimersByTime(60_000);
      await eventually(() => expect(provider.asked).toBeGreaterThanOrEqual(2));
    } finally {
      keySet.stop();
      jest.useRealTimers();
    }
  });
});
