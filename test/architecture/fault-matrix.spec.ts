import { describe, expect, it } from '@jest/globals';
import { faultMatrix } from '../faults/fault-matrix.js';
import { files } from './source.js';

const rows = Object.values(faultMatrix).flat();

describe.each(rows.map((row) => [row.fault, row] as const))('%s', (_, { tests }) => {
  it('has its tests', () => {
    expect(tests.length).toBeGreaterThan(0);
    for (const { path, name } of tests) expect({ path, name, found: namesTest(path, name) }).toEqual({ path, name, found: true });
  });
});

it('a test that is not there is missed', () => {
  expect(namesTest('test/architecture/fault-matrix.spec.ts', ['no test', 'has this name'].join(' '))).toBe(false);
});

/** The name stands in a call of `it`, not in passing. */
function namesTest(path: string, name: string): boolean {
  return files(path).some(({ text }) => text.split('\n').some((line) => /\bit(?:\.each.*)?\(/.test(line) && line.includes(name)));
}
