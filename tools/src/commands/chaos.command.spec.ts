import { describe, expect, it } from '@jest/globals';

import { readArguments } from './chaos.command.js';

describe('npm run chaos', () => {
  it('runs for six minutes with any seed, unless told otherwise', () => {
    expect(readArguments([])).toEqual({ minutes: 6, seed: null, reportFile: null, historyFile: null, kills: null });
    expect(readArguments(['--minutes', '0.5', '--seed=7', '--report', 'r.json', '--history', 'h.ndjson'])).toEqual({ minutes: 0.5, seed: 7, reportFile: 'r.json', historyFile: 'h.ndjson', kills: null });
  });

  it('plays the kill scenarios once, or so many times', () => {
    expect([readArguments(['--kills']).kills, readArguments(['--kills', '--rounds', '3']).kills]).toEqual([1, 3]);
  });

  it.each([
    [['--minutes', 'many']], [['--minutes', '0']], [['--minutes', '601']], [['--minutes=']], [['--seed', '-1']], [['--seed', '1.5']], [['--seed=']], [['--seed', '99999999999']],
    [['--report=']], [['--history=']], [['--rounds', '2']], [['--kills', '--rounds', '0']], [['--kills', '--rounds', 'x']], [['--kills', '--seed', '1']], [['--no-such']], [['more']],
  ])('refuses %j and says how it is called', (args) => {
    expect(() => readArguments(args)).toThrow('npm run chaos -- ');
  });
});
