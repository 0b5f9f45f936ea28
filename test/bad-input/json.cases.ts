import { reservation, reserve, type BadCase, type World } from './bad-case.js';

const invalid = { status: 400, code: 'INVALID_REQUEST' } as const;
const quantity = (world: World, text: string): string => `{"entryToken":"${world.entryToken}","items":[{"itemId":"${world.itemIds[0]}","quantity":${text}}]}`;

/** Numbers 26 to 41: what JSON lets through and we do not. */
export const jsonCases: readonly BadCase[] = [
  // The last of two keys counts, as JSON.parse has it; 99 of them are not to be had.
  { n: 26, sent: 'a key given twice, the last one counts (99 are not left)', status: 409, code: ['SOLD_OUT', 'LIMIT_REACHED'], go: (w) => reserve(w, { body: `{"entryToken":"${w.entryToken}","items":[{"itemId":"${w.itemIds[0]}","quantity":1,"quantity":99}]}` }) },
  { n: 27, sent: '__proto__ in the body', ...invalid, go: (w) => reserve(w, { body: '{"__proto__":{"admin":true},"items":[]}' }), also: unpolluted },
  { n: 27, sent: 'constructor.prototype in the body', ...invalid, go: (w) => reserve(w, { body: '{"constructor":{"prototype":{"admin":true}},"items":[]}' }), also: unpolluted },
  { n: 28, sent: 'arrays nested 10,000 deep', ...invalid, go: (w) => reserve(w, { body: `{"items":${'['.repeat(10_000)}${']'.repeat(10_000)}}` }) },
  { n: 29, sent: '5,000 keys', ...invalid, go: (w) => reserve(w, { body: `{${Array.from({ length: 5_000 }, (_, i) => `"k${i}":1`).join(',')}}` }) },
  { n: 29, sent: '100,000 keys', status: 413, code: 'PAYLOAD_TOO_LARGE', go: (w) => reserve(w, { body: `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join(',')}}` }) },
  { n: 30, sent: 'an unknown property: price', ...invalid, go: (w) => reserve(w, { body: reservation(w, { price: 0.01 }) }) },
  { n: 31, sent: 'a number as text', ...invalid, go: (w) => reserve(w, { body: quantity(w, '"1"') }) },
  { n: 32, sent: 'true for a number', ...invalid, go: (w) => reserve(w, { body: quantity(w, 'true') }) },
  { n: 33, sent: '1.5 units', ...invalid, go: (w) => reserve(w, { body: quantity(w, '1.5') }) },
  ...['0x1', '01', '+1', '１', '1e', '.5', '1_000'].map((text): BadCase => ({ n: 34, sent: `the number ${text}`, ...invalid, go: (w) => reserve(w, { body: quantity(w, text) }) })),
  { n: 34, sent: 'the number 1E3 (an integer in JSON, but more than 100)', ...invalid, go: (w) => reserve(w, { body: quantity(w, '1E3') }) },
  ...['NaN', 'Infinity', '-0', '-Infinity'].map((text): BadCase => ({ n: 35, sent: `the number ${text}`, ...invalid, go: (w) => reserve(w, { body: quantity(w, text) }) })),
  { n: 36, sent: 'the number 1e400', ...invalid, go: (w) => reserve(w, { body: quantity(w, '1e400') }) },
  { n: 37, sent: 'a number beyond 2^53 for an id', ...invalid, go: (w) => reserve(w, { body: `{"entryToken":"${w.entryToken}","items":[{"itemId":9007199254740993,"quantity":1}]}` }) },
  { n: 38, sent: 'a null character in a text', ...invalid, go: (w) => reserve(w, { body: `{"entryToken":"a\\u0000b","items":[{"itemId":"${w.itemIds[0]}","quantity":1}]}` }) },
  { n: 39, sent: 'half a surrogate pair', ...invalid, go: (w) => reserve(w, { body: `{"entryToken":"\\ud800","items":[{"itemId":"${w.itemIds[0]}","quantity":1}]}` }) },
  ...['\u202Eitem', 'it\u200Bem', 'іtem'].map((itemId): BadCase => ({ n: 40, sent: `an id with a hidden or look-alike character (${JSON.stringify(itemId)})`, ...invalid, go: (w) => reserve(w, { body: reservation(w, { itemId }) }) })),
  { n: 41, sent: 'a text of a million characters', status: 413, code: 'PAYLOAD_TOO_LARGE', go: (w) => reserve(w, { body: reservation(w, { itemId: 'x'.repeat(1_000_000) }) }) },
];

function unpolluted(): void {
  if ('admin' in {}) throw new Error('a prototype was polluted');
}
