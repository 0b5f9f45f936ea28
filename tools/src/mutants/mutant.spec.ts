import { describe, expect, it } from '@jest/globals';
import { judge, mutate, type Mutant, type TestReport } from './mutant.js';

const mutant: Mutant = { name: 'm', guard: 'g', file: 'f.ts', find: 'a > b', replace: '$& true', test: { path: 'f.spec.ts', name: 'works' } };

describe('a mutant', () => {
  it('changes one place, to the letter', () => {
    expect(mutate('if (a > b) {}', mutant)).toBe('if ($& true) {}');
  });

  it.each([['x', '0 times'], ['a > b, a > b', '2 times']])('%j is refused', (text, times) => {
    expect(() => mutate(text, mutant)).toThrow(times);
  });

  it('that changes nothing is refused', () => {
    expect(() => mutate('a > b', { ...mutant, replace: 'a > b' })).toThrow('changes nothing');
  });
});

describe('a mutant is', () => {
  const test = (status: string, ...failureMessages: string[]) => ({ fullName: 'it works', status, failureMessages });
  const report = (...assertionResults: ReturnType<typeof test>[]): TestReport => ({ testResults: [{ name: 'f.spec.ts', message: '', assertionResults }] });

  it.each([
    ['killed by an assertion', report(test('pending'), test('failed', '\u001B[2mError: expect(\u001B[22mreceived) at f.spec.ts')), 'killed'],
    ['not killed by a passing test', report(test('pending'), test('passed')), 'survived'],
    ['not killed by a test that takes too long', report(test('failed', 'thrown: "Exceeded timeout of 5000 ms for a test."')), 'broken'],
    ['not killed by an exception', report(test('failed', 'TypeError: x is not a function')), 'broken'],
    ['not killed by what does not compile', { testResults: [{ name: 'f', message: 'Syntax Error', assertionResults: [] }] }, 'broken'],
    ['not killed where no test runs', report(test('pending')), 'broken'],
    ['not killed without a report', null, 'broken'],
  ])('%s', (_, given, word) => {
    expect(judge(given).word).toBe(word);
  });
});
