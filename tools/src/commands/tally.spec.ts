import { describe, expect, it } from '@jest/globals';

import { addTallies, jestTally, tallyLine } from './tally.js';

const report = { success: true, numPassedTests: 5, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };

describe('the count of a test run', () => {
  it('has one fixed form', () => {
    expect(tallyLine(addTallies({ passed: 2, failed: 0 }, { passed: 5, failed: 1 }))).toBe('7 passed, 1 failed');
  });
  it('counts a suite that could not run as a failure', () => {
    expect(jestTally({ ...report, success: false, numFailedTests: 1, numRuntimeErrorTestSuites: 2 })).toEqual({ passed: 5, failed: 3 });
  });
  it('is never all green when Jest itself says no', () => {
    expect(jestTally({ ...report, success: false })).toEqual({ passed: 5, failed: 1 });
  });
});
