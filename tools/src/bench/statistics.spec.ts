import { describe, expect, it } from '@jest/globals';

import { rotated, spreadOf } from './statistics.js';

describe('what several rounds say together', () => {
  it('is the middle one, with the least and the most', () => {
    expect(spreadOf([30, 1, 2])).toEqual({ median: 2, least: 1, most: 30 });
    expect(spreadOf([4, 1, 2, 30])).toEqual({ median: 3, least: 1, most: 30 });
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe('the order of a round', () => {
  it('begins with another one each time, and leaves nobody out', () => {
    expect([0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
    expect(rotated([], 3)).toEqual([]);
  });
});
