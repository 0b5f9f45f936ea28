import { describe, expect, it } from '@jest/globals';
import { packCursor, unpackCursor } from './cursor.js';

const packed = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a cursor', () => {
  it('comes back as it was packed', () => {
    expect(unpackCursor(packCursor([1764000000000, 'sale.rid-_~']), 2)).toEqual([1764000000000, 'sale.rid-_~']);
  });

  it.each([
    ['no base64', '%%%'], ['no JSON', Buffer.from('{').toString('base64url')], ['no list', packed({})], ['too few parts', packed([1])], ['a NUL', packed([0, '\u0000'])],
    ['a time before all times', packed([-9007199254740991, 'x'])], ['a time beyond all times', packed([9e15, 'x'])], ['a fraction', packed([0.5, 'x'])], ['a part of another type', packed([0, null])],
  ])('that somebody made up is none: %s', (_, cursor) => {
    expect(unpackCursor(cursor, 2)).toBeNull();
  });
});
