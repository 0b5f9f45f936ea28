import { describe, expect, it } from '@jest/globals';

import type { TestReport } from '../mutants/mutant.js';
import { unsteady, unsteadySuitesMax, worthASecondLook } from './second-look.js';

type Suite = TestReport['testResults'][number];
const suite = (name: string, failure: string | null): Suite => ({
  name, message: failure ?? '',
  assertionResults: [
    { fullName: 'stands', status: 'passed', failureMessages: [] },
    { fullName: 'waits', status: failure === null ? 'passed' : 'failed', failureMessages: failure === null ? [] : [failure] },
  ],
});
const timedOut = 'thrown: "Exceeded timeout of 5000 ms"';

describe('a second look', () => {
  it('is taken at the files that failed, and at no other', () => {
    expect(worthASecondLook({ testResults: [suite('a', null), suite('b', timedOut)] })).toEqual(['b']);
    expect(worthASecondLook({ testResults: [suite('a', null)] })).toEqual([]);
  });
  it('is not taken where many failed', () => {
    const many = Array.from({ length: unsteadySuitesMax + 1 }, (_, at) => suite(String(at), timedOut));
    expect(worthASecondLook({ testResults: many })).toEqual([]);
    expect(worthASecondLook({ testResults: many.slice(1) })).toHaveLength(unsteadySuitesMax);
  });
  it('is not taken where a file could not run', () => {
    expect(worthASecondLook({ testResults: [{ name: 'a', message: 'SyntaxError', assertionResults: [] }] })).toEqual([]);
  });
  it.each(['+   "verdict": "broken",', "verdict: 'broken'", '\u001b[31m+     "oversold": 2,\u001b[39m', '"lost": 1', '"duplicated": 1', '"unexplained": 12'])(
    'is not taken where a sale did not add up (%j)', (message) => {
      expect(worthASecondLook({ testResults: [suite('a', timedOut), suite('b', message)] })).toEqual([]);
    });
  it('is taken where a sale that adds up was not settled in time', () => {
    expect(worthASecondLook({ testResults: [suite('a', '-  "verdict": "clean"\n+  "verdict": "unknown",\n   "oversold": 0')] })).toEqual(['a']);
  });
  it('names what passed only then', () => {
    const first = { testResults: [suite('a', `Error: late\nat x`), suite('b', timedOut)] };
    expect(unsteady(first, { testResults: [suite('a', null), suite('b', timedOut)] })).toEqual(['waits: Error: late']);
  });
});
