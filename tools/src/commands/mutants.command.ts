import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { repositoryRoot } from '../config.js';
import type { InfraUrls } from '../infra/private-infra.js';
import { MutantCopy } from '../mutants/mutant-copy.js';
import { judge, type Mutant, type TestReport } from '../mutants/mutant.js';
import type { CommandContext } from './command.js';
import { jestReport } from './jest-run.js';
import { serversAtHand, withServers } from './with-servers.js';

/**
 * Takes away one guard of the code after the other, in a copy, and runs the one test that must notice. Arguments are names of mutants;
 * none means all. Exit 0 only if every one was killed. The last line is `N killed, N survived`.
 */
export async function mutantsCommand(context: CommandContext): Promise<number> {
  const { args, note, stop } = context;
  const mutants = choose(await readMutants(), args);
  const copy = new MutantCopy(repositoryRoot());
  try {
    const killed = await withServers(context, serversAtHand(), async (ready) => {
      const urls = await ready();
      if (stop.aborted || !(await allPassBefore(copy, mutants, urls, context))) return 0;
      return await killAll(copy, mutants, urls, context);
    });
    note(`${killed} killed, ${mutants.length - killed} survived`);
    return killed === mutants.length && !stop.aborted ? 0 : 1;
  } finally {
    copy.remove();
  }
}

/** By its address and not by import: the table belongs to the tests, and Node reads its types away. */
async function readMutants(): Promise<readonly Mutant[]> {
  const table = pathToFileURL(path.join(repositoryRoot(), 'test', 'mutants', 'mutants.ts')).href;
  return ((await import(table)) as { mutants: readonly Mutant[] }).mutants;
}

function choose(mutants: readonly Mutant[], names: readonly string[]): readonly Mutant[] {
  const unknown = names.filter((name) => !mutants.some((mutant) => mutant.name === name));
  if (unknown.length > 0) throw new Error(`there is no mutant ${unknown.join(', ')}: choose of ${mutants.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? mutants : mutants.filter(({ name }) => names.includes(name));
}

/** A test that fails anyway shows nothing. */
async function allPassBefore(copy: MutantCopy, mutants: readonly Mutant[], urls: InfraUrls, { note, stop }: CommandContext): Promise<boolean> {
  note(`${mutants.length} mutants; first their tests with every guard in place`);
  const report = await run(copy, mutants, urls, stop);
  const results = report?.testResults.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name }))) ?? [];
  const missing = mutants.filter(({ test }) => !results.some(({ file, fullName, status }) => file.endsWith(test.path) && fullName.includes(test.name) && status === 'passed'));
  for (const { name, test } of missing) note(`${name}: "${test.name}" of ${test.path} does not pass`);
  const failed = results.filter(({ status }) => status === 'failed');
  for (const { file, fullName, failureMessages } of failed) note(`${path.relative(copy.root, file)}: ${fullName}\n${failureMessages.join('\n').slice(0, 2_000)}`);
  return missing.length === 0 && failed.length === 0;
}

async function killAll(copy: MutantCopy, mutants: readonly Mutant[], urls: InfraUrls, { note, stop }: CommandContext): Promise<number> {
  const width = Math.max(...mutants.map(({ name }) => name.length));
  let killed = 0;
  for (const mutant of mutants) {
    if (stop.aborted) break;
    const startedAt = Date.now();
    const { word, detail } = judge(await copy.with(mutant, () => run(copy, [mutant], urls, stop)));
    if (word === 'killed') killed++;
    const seconds = `${((Date.now() - startedAt) / 1000).toFixed(0)} s`;
    note(`${mutant.name.padEnd(width)}  ${word.padEnd(8)}  ${seconds.padStart(5)}  ${mutant.guard} ← ${path.basename(mutant.test.path)}: ${mutant.test.name}`);
    if (word === 'broken') note(`${''.padEnd(width)}  ${detail}`);
  }
  return killed;
}

function run(copy: MutantCopy, mutants: readonly Mutant[], urls: InfraUrls, stop: AbortSignal): Promise<TestReport | null> {
  return jestReport({
    root: copy.root, projects: ['unit', 'integration'], urls, workersMax: 1, stop, silent: true,
    patterns: [...new Set(mutants.map(({ test }) => `${literally(test.path)}$`))],
    names: [...new Set(mutants.map(({ test }) => literally(test.name)))],
  });
}

const literally = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
