import { describe, expect, it } from '@jest/globals';

import { comparisons } from '../bench/comparisons/comparisons.js';
import { readArguments } from './bench.command.js';

describe('npm run bench', () => {
  it('measures everything in five rounds, unless told otherwise', () => {
    expect(readArguments([])).toEqual({ rounds: 5, seconds: 5, connections: 256, comparisons, reportFile: null, profile: null });
    expect(readArguments(['--rounds', '1', '--seconds=0.5', '--connections', '8', '--only', 'refused', '--report', 'r.json', '--profile', 'gateway']))
      .toEqual({ rounds: 1, seconds: 0.5, connections: 8, comparisons: comparisons.filter(({ name }) => name === 'refused'), reportFile: 'r.json', profile: 'gateway' });
  });

  it.each([
    [['--rounds', '0']], [['--rounds', '1.5']], [['--rounds', 'many']], [['--rounds=']], [['--seconds', '0']], [['--seconds', '601']], [['--connections', '5000']],
    [['--only', 'nothing']], [['--only=']], [['--report=']], [['--profile', 'nobody']], [['--no-such']], [['more']],
  ])('refuses %j and says how it is called', (args) => {
    expect(() => readArguments(args)).toThrow('npm run bench -- ');
  });
});
