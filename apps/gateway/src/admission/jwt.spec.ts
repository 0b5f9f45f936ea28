import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { bearerToken, claimedAccount, issueJwt, JwtVerifier } from './jwt.js';

const secret = 'a secret of the tests';
const nowMs = 1_800_000_000_000;
const nowS = nowMs / 1_000;
const claims = { sub: 'buyer-1', roles: ['buyer'], exp: nowS + 60 };
const part = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const signed = (text: string, key = secret, algorithm = 'sha256') => `${text}.${createHmac(algorithm, key).update(text).digest('base64url')}`;
const token = (payload: unknown, header: unknown = { alg: 'HS256', typ: 'JWT' }) => signed(`${part(header)}.${part(payload)}`);
const verify = (text: string, atMs = nowMs) => new JwtVerifier({ secrets: [secret] }).verify(text, atMs);

describe('a bearer token', () => {
  it('says who calls and in which roles', () => {
    expect(verify(token(claims))).toEqual({ accountId: 'buyer-1', roles: ['buyer'] });
    expect(verify(issueJwt(secret, { accountId: 'm-1', roles: ['merchant'] }, nowMs, nowMs + 1_000))).toEqual({ accountId: 'm-1', roles: ['merchant'] });
  });

  it.each([
    ['expired 4 s ago', { ...claims, exp: nowS - 4 }],
    ['valid in 5 s', { ...claims, nbf: nowS + 5 }],
    ['without roles in it', { ...claims, roles: [] }],
    ['with a role that is not known here', { ...claims, roles: ['buyer', 'gardener'] }],
    ['with claims that nobody asked for', { ...claims, iss: 'x', aud: 'y', jti: 'z', kid: '../../dev/null' }],
  ])('is good when %s', (_, payload) => {
    expect(verify(token(payload))).not.toBeNull();
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['no token', 'abc'],
    ['two parts', `${part({ alg: 'HS256' })}.${part(claims)}`],
    ['five parts, as an encrypted one has', `${token(claims)}.a.b`],
    ['alg none without a signature', `${part({ alg: 'none' })}.${part(claims)}.`],
    ['alg none with a signature', token(claims, { alg: 'none' })],
    ['alg in another case', token(claims, { alg: 'hs256' })],
    ['another algorithm of the same key', signed(`${part({ alg: 'HS512' })}.${part(claims)}`, secret, 'sha512')],
    ['RS256', token(claims, { alg: 'RS256' })],
    ['no alg', token(claims, {})],
    ['a header that is no object', token(claims, '"HS256"')],
    ['an extension that must be understood', token(claims, { alg: 'HS256', crit: ['b64'], b64: false })],
    ['another key', signed(`${part({ alg: 'HS256' })}.${part(claims)}`, 'another secret')],
    ['an empty key', signed(`${part({ alg: 'HS256' })}.${part(claims)}`, '')],
    ['a changed payload', token(claims).replace(/\.[^.]+\./, `.${part({ ...claims, sub: 'buyer-2' })}.`)],
    ['a padded signature', `${token(claims)}=`],
    ['a cut signature', token(claims).slice(0, -1)],
    ['a payload that is no JSON', token('{"sub"')],
    ['a payload that is a list', token([claims])],
    ['no sub', token({ ...claims, sub: undefined })],
    ['a sub that is no id', token({ ...claims, sub: 'a b' })],
    ['a sub with a line break', token({ ...claims, sub: 'a\n' })],
    ['a sub that is a number', token({ ...claims, sub: 7 })],
    ['no exp', token({ ...claims, exp: undefined })],
    ['an exp that is text', token({ ...claims, exp: '9999999999' })],
    ['an exp of 5 s ago', token({ ...claims, exp: nowS - 5 })],
    ['an nbf 6 s away', token({ ...claims, nbf: nowS + 6 })],
    ['an nbf that is text', token({ ...claims, nbf: 'now' })],
    ['no roles', token({ ...claims, roles: undefined })],
    ['roles as text', token({ ...claims, roles: 'buyer' })],
    ['roles that are no words', token({ ...claims, roles: [1] })],
    ['more than any token has', token({ ...claims, x: 'x'.repeat(4_000) })],
  ])('is nothing with %s', (_, text) => {
    expect(verify(text)).toBeNull();
  });

  it('expires although it was verified before', () => {
    const verifier = new JwtVerifier({ secrets: [secret] });
    const text = token(claims);
    expect([verifier.verify(text, nowMs), verifier.verify(text, nowMs + 66_000)]).toEqual([expect.anything(), null]);
  });
});

describe('what a token must say where it is configured', () => {
  const rules = { issuer: 'https://id.example', audience: 'shop', type: 'at+jwt' };
  const good = { ...claims, iss: 'https://id.example', aud: 'shop' };
  // One parameter: Jest would take a missing second one for its own callback.
  const judge = ([payload, header = { alg: 'HS256', typ: 'at+jwt' }]: unknown[]) => new JwtVerifier({ secrets: [secret], rules }).verify(token(payload, header), nowMs);

  it.each<[string, unknown[]]>([
    ['one audience', [good]], ['several audiences', [{ ...good, aud: ['x', 'shop'] }]], ['the long form of its type', [good, { alg: 'HS256', typ: 'application/AT+JWT' }]],
  ])('%s will do', (_, parts) => expect(judge(parts)).not.toBeNull());

  it.each<[string, unknown[]]>([
    ['no issuer', [claims]], ['another issuer', [{ ...good, iss: 'https://id.example/' }]], ['a list of issuers', [{ ...good, iss: ['https://id.example'] }]],
    ['no audience', [{ ...good, aud: undefined }]], ['another audience', [{ ...good, aud: 'shop2' }]], ['other audiences', [{ ...good, aud: ['a', 'b'] }]],
    ['no type', [good, { alg: 'HS256' }]], ['an ID token\'s type', [good, { alg: 'HS256', typ: 'JWT' }]], ['a refresh token\'s type', [good, { alg: 'HS256', typ: 'rt+jwt' }]], ['a type that is no text', [good, { alg: 'HS256', typ: 7 }]],
  ])('%s is not enough', (_, parts) => expect(judge(parts)).toBeNull());

  it('stands in the tokens of the development login', () => {
    const verifier = new JwtVerifier({ secrets: [secret], rules });
    expect(verifier.verify(issueJwt(secret, { accountId: 'me', roles: [] }, nowMs, nowMs + 60_000, rules), nowMs)).toEqual({ accountId: 'me', roles: [] });
  });
});

describe('two secrets', () => {
  it('are both believed, in any order, and no third', () => {
    const next = 'the next secret of the tests';
    for (const secrets of [[secret, next], [next, secret]]) {
      const verifier = new JwtVerifier({ secrets });
      for (const key of [secret, next]) expect(verifier.verify(signed(`${part({ alg: 'HS256' })}.${part(claims)}`, key), nowMs)).not.toBeNull();
      expect(verifier.verify(signed(`${part({ alg: 'HS256' })}.${part(claims)}`, 'a third'), nowMs)).toBeNull();
    }
    expect(new JwtVerifier({ secrets: [next] }).verify(token(claims), nowMs)).toBeNull();
  });

  it('may be none', () => {
    expect(new JwtVerifier({ secrets: [] }).verify(signed(`${part({ alg: 'HS256' })}.${part(claims)}`, ''), nowMs)).toBeNull();
  });
});

describe('an Authorization header', () => {
  it.each([
    ['Bearer abc', 'abc'], ['bearer abc', 'abc'], ['BEARER  abc', 'abc'], ['Basic abc', null], ['Bearer', null], ['Bearer ', null], ['Bearer a b', null], ['abc', null],
  ])('%j carries the token %j', (header, expected) => {
    expect(bearerToken(header)).toBe(expected);
  });

  it('is no token where there is none', () => {
    expect(bearerToken(undefined)).toBeNull();
  });
});

describe('the account that a token claims', () => {
  it('is read without belief, and never breaks on what is no token', () => {
    expect(claimedAccount(signed(`${part({ alg: 'none' })}.${part(claims)}`, 'x'))).toBe('buyer-1');
    for (const text of ['', 'a', 'a.b', 'a.!!.c', `a.${part('[')}.c`, `a.${part('null')}.c`, `a.${part({ sub: 1 })}.c`]) expect(claimedAccount(text)).toBeNull();
  });
});
