import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { rulesDir } from '../../tools/src/observe/observer.js';
import type { RuleFile } from './promql.js';

/** Ages that a test cannot wait for, in seconds. */
const ages: Readonly<Record<string, number>> = { OutboxStuck: 3, SagaStuck: 3, CloseLag: 3, TransactionOld: 5 };

/** The same rules for a test that waits for them: each alert after a second, ages of minutes as seconds. @returns where they are */
export function hastyRules(dir: string): string {
  const folder = path.join(dir, 'hasty-rules');
  mkdirSync(folder, { recursive: true });
  for (const name of globSync('*.yaml', { cwd: rulesDir() })) {
    const file = parse(readFileSync(path.join(rulesDir(), name), 'utf8')) as RuleFile;
    for (const rule of file.groups.flatMap((group) => group.rules)) {
      if (rule.for !== undefined) rule.for = '1s';
      const age = rule.alert === undefined ? undefined : ages[rule.alert];
      if (age !== undefined) rule.expr = rule.expr.replace(/> \d+\s*$/, `> ${age}`);
    }
    writeFileSync(path.join(folder, name), stringify(file));
  }
  return path.join(folder, '*.yaml');
}
