import type { Mutant } from '../../tools/src/mutants/mutant.js';
import type { FaultRow } from '../faults/fault-matrix.js';

const link = (file: string): string => `[${file.slice(file.lastIndexOf('/') + 1)}](../${file})`;

/** docs/fault-matrix.md. */
export function faultPage(matrix: Readonly<Record<string, readonly FaultRow[]>>, notCaused: Readonly<Record<string, string>>): string {
  return [
    '# Faults',
    '',
    'Each fault of broker, database and processes, what holds then, and the test that causes it. Made by `npm run docs` of [fault-matrix.ts](../test/faults/fault-matrix.ts);',
    'a test sees that every test named here exists. What is run on purpose over a whole sale are the kills of [kills.e2e-spec.ts](../test/e2e/kills.e2e-spec.ts).',
    ...Object.entries(matrix).flatMap(([part, rows]) => [
      '', `## ${part}`, '', '| fault | what holds | test |', '| --- | --- | --- |',
      ...rows.map(({ fault, holds, tests }) => `| ${fault} | ${holds} | ${tests.map(({ path, name }) => `${link(path)}: ${name}`).join('<br>')} |`),
    ]),
    '', '## Not caused', '',
    ...Object.entries(notCaused).map(([fault, why]) => `- ${fault}: ${why}.`),
    '',
  ].join('\n');
}

/** docs/mutants.md. */
export function mutantPage(mutants: readonly Mutant[]): string {
  return [
    '# Mutants',
    '',
    'Every guard that a promise hangs on. `npm run mutants` takes each away in a copy and runs the test named beside it, which must fail; `npm run mutants -- NAME` one of them.',
    'Made by `npm run docs` of [mutants.ts](../test/mutants/mutants.ts). What breaks in the protocol without a guard says [model.md](model.md).',
    '',
    '| mutant | guard | in | test that fails |',
    '| --- | --- | --- | --- |',
    ...mutants.map(({ name, guard, file, test }) => `| \`${name}\` | ${guard} | ${link(file)} | ${link(test.path)}: ${test.name} |`),
    '',
    '## Without a mutant',
    '',
    '- An index that keeps an account to one live order: there is none. How much an account may have is a number, and the arbiter judges it under the lane’s lock with the units (`arbiter-ignores-limits`).',
    '- Retries by a cycle of dead-letter exchanges, which the broker cuts silently: there is none. A message is published to its tier with a confirm, and the broker’s own count of deliveries never decides (`broker-counts-deliveries`).',
    '- A reconciler that passes over the counters of accounts: they are not records but sums over the reservations, made anew by every load; that they are right is held against a model (`account-counter-stays`).',
    '',
  ].join('\n');
}
