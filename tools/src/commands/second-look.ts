import { stripVTControlCharacters } from 'node:util';

import type { TestReport } from '../mutants/mutant.js';

/** Beyond this it is not one moment of a busy machine. */
export const unsteadySuitesMax = 3;

/** A record that contradicts another one is a finding, however seldom it comes. */
const finding = /["']?verdict["']?: ["']broken["']|["']?(?:oversold|lost|duplicated|unexplained)["']?: [1-9]/;

/**
 * The files whose failures may have been the machine's: worth one more run, alone. Empty where there are too many of them, where
 * one could not run at all, or where a sale did not add up: such a failure stands.
 */
export function worthASecondLook(report: TestReport): string[] {
  const failing = report.testResults.filter((file) => isRed(file));
  const stands = failing.some((file) => file.assertionResults.length === 0 || failuresOf(file).some((message) => finding.test(stripVTControlCharacters(message))));
  return stands || failing.length > unsteadySuitesMax ? [] : failing.map((file) => file.name);
}

/** What failed at first and passed alone, by full name, with the first line of what was wrong. */
export function unsteady(first: TestReport, second: TestReport): string[] {
  const passed = new Set(second.testResults.flatMap((file) => file.assertionResults.filter(({ status }) => status === 'passed').map(({ fullName }) => `${file.name} ${fullName}`)));
  return first.testResults.flatMap((file) => file.assertionResults
    .filter(({ fullName, status }) => status === 'failed' && passed.has(`${file.name} ${fullName}`))
    .map(({ fullName, failureMessages }) => `${fullName}: ${stripVTControlCharacters(failureMessages[0] ?? '').split('\n')[0] ?? ''}`));
}

const isRed = (file: TestReport['testResults'][number]): boolean =>
  file.assertionResults.some(({ status }) => status === 'failed') || (file.assertionResults.length === 0 && file.message !== '');
const failuresOf = (file: TestReport['testResults'][number]): string[] => [file.message, ...file.assertionResults.flatMap(({ failureMessages }) => failureMessages)];
