import { describe, expect, it } from '@jest/globals';

import { readArguments } from './codes.command.js';

describe('codes', () => {
  it.each([
    [['import', 'S1', 'S1-1', 'a.csv'], { verb: 'import', saleId: 'S1', itemId: 'S1-1', file: 'a.csv' }],
    [['generate', '1000', 'a.csv'], { verb: 'generate', count: 1_000, file: 'a.csv' }],
    [['drill', '50', '30'], { verb: 'drill', orders: 50, codes: 30, wipeRedis: false }],
    [['drill', '50', '30', '--wipe-redis'], { verb: 'drill', orders: 50, codes: 30, wipeRedis: true }],
  ])('understands %j', (args, wanted) => {
    expect(readArguments(args)).toEqual(wanted);
  });

  it.each([[[]], [['import', 'S1', 'S1-1']], [['import', 'a', 'b', 'c', 'd']], [['generate', '0', 'a']], [['generate', '1e3', 'a']], [['drill', '5']], [['drill', '5', '3', '--slow']], [['export', 'a', 'b']]])('does not understand %j', (args) => {
    expect(() => readArguments(args)).toThrow(/npm run codes -- import/);
  });
});
