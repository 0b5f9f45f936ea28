import { stripVTControlCharacters } from 'node:util';

/** One guard of the code taken away, and the test that must notice. */
export interface Mutant {
  readonly name: string;
  /** What the code does that the mutant does not. */
  readonly guard: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** A unit or integration test: its file, and a part of its full name, as literally written in the file. */
  readonly test: { readonly path: string; readonly name: string };
}

/** The text with the guard taken away. @throws Error where `find` does not stand there exactly once */
export function mutate(text: string, { name, file, find, replace }: Mutant): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`mutant ${name}: what it changes stands ${times} times in ${file}, not once`);
  if (find === replace) throw new Error(`mutant ${name}: changes nothing`);
  return text.replace(find, () => replace);
}

/** The parts of Jest's JSON report that say how each test ended. */
export interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string; readonly failureMessages: readonly string[] }[];
  }[];
}

/** `broken`: nothing is shown, because no test ran to an assertion. */
export interface Verdict {
  readonly word: 'killed' | 'survived' | 'broken';
  /** The first line of what failed, or why nothing is shown. */
  readonly detail: string;
}

/** Only a test that ran and whose assertion failed has noticed: code that no longer compiles, starts or ends is found by anybody. */
export function judge(report: TestReport | null): Verdict {
  if (!report) return { word: 'broken', detail: 'Jest ended without a report' };
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const ran = tests.filter(({ status }) => status === 'passed' || status === 'failed');
  const unable = report.testResults.find((file) => file.assertionResults.length === 0 && file.message !== '');
  if (unable) return { word: 'broken', detail: firstLine(unable.message) };
  if (ran.length === 0) return { word: 'broken', detail: 'no test has that name' };
  const failures = ran.flatMap((test) => test.failureMessages);
  if (failures.length === 0) return { word: 'survived', detail: '' };
  const noticed = failures.find((message) => stripVTControlCharacters(message).includes('expect('));
  return noticed === undefined ? { word: 'broken', detail: firstLine(failures[0]!) } : { word: 'killed', detail: firstLine(noticed) };
}

const firstLine = (text: string): string => stripVTControlCharacters(text).split('\n').find((line) => line.trim() !== '')?.trim().slice(0, 200) ?? '';
