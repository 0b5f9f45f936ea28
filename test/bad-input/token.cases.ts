import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { base64url, craftToken, get, reservation, reserve, send, type Answer, type BadCase, type NotHere, type World } from './bad-case.js';

const unauthenticated = { status: 401, code: 'UNAUTHENTICATED' } as const;
const notAdmitted = { status: 403, code: 'ENTRY_TOKEN_INVALID' } as const;
const seconds = (): number => Math.floor(Date.now() / 1000);
const mine = (w: World, token: string): Promise<Answer> => get(w, '/v1/me/orders', token);

const heads: Record<string, Record<string, unknown>> = {
  'alg none': { alg: 'none' }, 'alg None': { alg: 'None' }, 'alg HS512': { alg: 'HS512' }, 'alg in lower case': { alg: 'hs256' }, 'crit': { crit: ['x'], x: 1 },
  'kid ../../dev/null': { kid: '../../dev/null' }, 'kid with SQL': { kid: "' OR 1=1--" },
};
const selfMadeKeys: Record<string, Record<string, unknown>> = {
  jku: { jku: 'http://127.0.0.1:1/jwks' }, x5u: { x5u: 'http://127.0.0.1:1/x' }, jwk: { jwk: { kty: 'oct', k: base64url('mine') } },
};

const spoilers: Record<string, (token: string) => string> = {
  'with one character changed': (token) => token.slice(0, 10) + (token[10] === 'A' ? 'B' : 'A') + token.slice(11),
  'cut short': (token) => token.slice(0, -1),
  'with padding': (token) => `${token}==`,
  'in another spelling of the same bytes': respell,
  'that is empty': () => '',
  'that is not one': () => 'nonsense',
};

/** Numbers 69 to 96: who one is, and the entry token. */
export const tokenCases: readonly BadCase[] = [
  { n: 69, sent: 'no token', ...unauthenticated, go: (w) => get(w, '/v1/me/orders') },
  { n: 69, sent: 'a token of another kind: Basic', ...unauthenticated, go: (w) => get(w, '/v1/me/orders', undefined, { authorization: 'Basic YTpi' }) },
  { n: 70, sent: 'an expired token', ...unauthenticated, go: (w) => mine(w, craftToken(w, { claims: { exp: seconds() - 60 } })) },
  { n: 70, sent: 'a token that is not valid yet', ...unauthenticated, go: (w) => mine(w, craftToken(w, { claims: { nbf: seconds() + 60 } })) },
  { n: 70, sent: 'a token without an end', ...unauthenticated, go: (w) => mine(w, craftToken(w, { claims: { exp: undefined } })) },
  { n: 71, sent: 'alg none and no signature', ...unauthenticated, go: (w) => mine(w, craftToken(w, { head: { alg: 'none' }, signature: '' })) },
  ...Object.entries(heads).map(([words, head]): BadCase => ({ n: words.startsWith('kid') ? 73 : 71, sent: `a head with ${words}, signed with another secret`, ...unauthenticated, go: (w) => mine(w, craftToken(w, { head, secret: 'not the secret of this platform' })) })),
  { n: 72, sent: 'HS256 with a public key as the secret', ...unauthenticated, go: (w) => mine(w, craftToken(w, { secret: generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString() })) },
  ...Object.entries(selfMadeKeys).map(([words, head]): BadCase => ({ n: 74, sent: `a head that brings its own key by ${words}`, ...unauthenticated, go: (w) => mine(w, craftToken(w, { head, secret: 'mine' })) })),
  { n: 76, sent: 'a token of five parts (JWE)', ...unauthenticated, go: (w) => mine(w, 'a.b.c.d.e') },
  { n: 76, sent: 'a token with two signatures', ...unauthenticated, go: (w) => mine(w, `${craftToken(w, {})}.${'x'.repeat(43)}`) },
  { n: 78, sent: 'a token of 9 KiB', status: [401, 431], go: (w) => mine(w, craftToken(w, { claims: { pad: 'x'.repeat(9_000) }, secret: 'x' })) },
  { n: 79, sent: 'a token in the query (ignored)', status: [400, 401], go: (w) => get(w, `/v1/me/orders?access_token=${w.buyer.token}`) },
  { n: 80, sent: 'a buyer\'s token on an admin route', status: 403, code: 'FORBIDDEN', go: (w) => get(w, '/v1/admin/dead-letters', w.buyer.token) },
  ...(['GET', 'cancel', 'payments'] as const).map((what): BadCase => ({ n: 81, sent: `${what} of somebody else's order`, status: 404, code: 'NOT_FOUND', go: (w) => strangersOrder(w, what) })),
  { n: 81, sent: 'events of somebody else\'s reservation', status: 404, code: 'NOT_FOUND', go: (w) => get(w, `/v1/reservations/${w.paid.orderId}/events`, w.buyer.token) },
  ...['0', '1', 'AAAA.AAAAAAAAAAAAAAAAAAAAAA'].map((id): BadCase => ({ n: 82, sent: `a guessed id ${id}`, status: 404, code: 'NOT_FOUND', go: (w) => get(w, `/v1/reservations/${id}`, w.buyer.token) })),

  { n: 83, sent: 'an entry token of another account', ...notAdmitted, go: async (w) => reserveWith(w, await w.paid.buyer.entryToken(w.saleId)) },
  { n: 83, sent: 'an entry token of another sale', ...notAdmitted, go: async (w) => reserveWith(w, await w.buyer.entryToken(w.otherSaleId)) },
  ...Object.entries(spoilers).map(([words, spoil]): BadCase => ({ n: 86, sent: `an entry token ${words}`, status: [400, 403], code: ['ENTRY_TOKEN_INVALID', 'INVALID_REQUEST'], go: (w) => reserveWith(w, spoil(w.entryToken)) })),
  { n: 87, sent: 'one entry token and key, 200 times at once (one reservation)', status: 202, sells: true, go: replayStorm },
  { n: 88, sent: 'an entry token signed with a key of one\'s own', ...notAdmitted, go: (w) => reserveWith(w, resigned(w.entryToken)) },
  ...['1.2.3.4', '1.2.3.4, 5.6.7.8', Array.from({ length: 50 }, (_, i) => `10.0.0.${i}`).join(', '), 'fe80::1%eth0', 'unknown', '1.2.3.4:80', "'; drop"].map((hops): BadCase =>
    ({ n: 92, sent: `x-forwarded-for: ${hops.slice(0, 40)}`, status: [200, 400], go: (w) => get(w, '/v1/time', undefined, { 'x-forwarded-for': hops, 'x-real-ip': '9.9.9.9', forwarded: 'for=9.9.9.9' }) })),
];

export const tokensNotHere: readonly NotHere[] = [
  { n: 75, why: 'iss, aud and typ are checked where they are configured, which a development platform has not: apps/gateway/src/admission.' },
  { n: 77, why: 'A role lives as long as its token: the identity provider\'s short `exp` decides. A blocked account is refused within two seconds (block list).' },
  { n: 84, why: 'Not before the opening: number 97.' },
  { n: 85, why: 'An entry token lasts 120 s: apps/gateway/src/admission/entry-token.spec.ts, with a clock of its own.' },
  { n: 91, why: 'No clock of a client is ever read.' },
  { n: 93, why: 'Limits per address are switched off in development: apps/gateway/src/limits.' },
  { n: 94, why: 'No device id is read: nothing a client can invent is a key of a limit.' },
  { n: 95, why: 'Token buckets have no windows: apps/gateway/src/limits.' },
  { n: 96, why: 'Every 429 and 503 of this suite is checked for Retry-After; RATE_LIMITED itself in test/e2e/refusals.e2e-spec.ts.' },
];

async function strangersOrder(w: World, what: 'GET' | 'cancel' | 'payments'): Promise<Answer> {
  if (what === 'GET') return get(w, `/v1/orders/${w.paid.orderId}`, w.buyer.token);
  return send(w, 'POST', `/v1/orders/${w.paid.orderId}/${what}`, { token: w.buyer.token, key: randomUUID(), ...(what === 'payments' ? { body: { provider: 'sandbox' } } : {}) });
}

const reserveWith = (w: World, entryToken: string): Promise<Answer> => reserve(w, { body: reservation(w, {}, { entryToken }) });

/** A way to write the last character of base64url that decodes to the same bytes: a token must have one spelling only. */
function respell(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1)!) ^ 1];
}

function resigned(token: string): string {
  const head = token.slice(0, token.lastIndexOf('.'));
  return `${head}.${createHmac('sha256', 'a key of my own').update(head).digest('base64url')}`;
}

async function replayStorm(w: World): Promise<Answer> {
  const key = randomUUID();
  const answers = await Promise.all(Array.from({ length: 200 }, () => reserve(w, { key })));
  const ids = new Set(answers.filter(({ status }) => status === 202).map(({ text }) => (JSON.parse(text) as { reservationId: string }).reservationId));
  if (ids.size !== 1) throw new Error(`one key has ${ids.size} reservations`);
  return answers.find(({ status }) => status !== 202) ?? answers[0]!;
}
