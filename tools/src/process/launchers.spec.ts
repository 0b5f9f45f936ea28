import { describe, expect, it } from '@jest/globals';

import { parseLaunchers } from './launchers.js';

describe('the launchers that bootstrap hands over', () => {
  it('are pairs of pid and start time', () => {
    expect(parseLaunchers('12:345,6:78')).toEqual([{ pid: 12, startedAt: '345' }, { pid: 6, startedAt: '78' }]);
  });
  it('are none where nobody shall be watched', () => {
    expect(parseLaunchers('')).toEqual([]);
  });
  it.each(['12', 'x:1', '12:'])('%s is refused', (value) => {
    expect(() => parseLaunchers(value)).toThrow('bad FLOODGATE_LAUNCHERS');
  });
});
