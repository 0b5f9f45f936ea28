import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { mutate } from '../../tools/src/mutants/mutant.js';
import { mutants } from './mutants.js';

const read = (file: string): string => readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8');

describe.each(mutants.map((mutant) => [mutant.name, mutant] as const))('the mutant %s', (_, mutant) => {
  it('still has its guard to take away, and its test', () => {
    expect(mutate(read(mutant.file), mutant)).not.toBe(read(mutant.file));
    expect(mutant.test.path).toMatch(/\.(int-)?spec\.ts$/);
    expect(read(mutant.test.path)).toContain(mutant.test.name);
  });
});

it('no two mutants have the same name', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});
