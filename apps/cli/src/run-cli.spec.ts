import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { commands, groups } from './commands.js';
import { makeProgram } from './command/program.js';
import { exitCodes } from './exit-codes.js';
import { runCli, type Surroundings } from './run-cli.js';

/** Nobody is asked anything in these tests: they end before. */
async function run(line: string, changes: Partial<Surroundings> = {}): Promise<{ exit: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const exit = await runCli(line.split(' ').filter(Boolean), {
    config: { url: undefined, token: undefined, tokenFile: undefined, noColor: true }, columns: null, ask: null, stop: new AbortController().signal,
    out: (text) => { written.out += text; }, err: (text) => { written.err += text; }, ...changes,
  });
  return { exit, ...written };
}

/** A command line with everything that the command demands. */
function words(name: string): string {
  const { parameters = [], options = [] } = commands.find((row) => row.name === name)!;
  return [name, ...parameters.map(() => 'x'), ...options.filter(({ required }) => required).map(({ flags }) => `${flags.split(' ')[0]} x`)].join(' ');
}

describe('the command line', () => {
  it.each(commands.map((row) => [row.name, row] as const))('%s has a help that says what it does and which role it needs', async (name, row) => {
    const { exit, out, err } = await run(`${name} --help`);
    expect([exit, err]).toEqual([0, '']);
    expect(out.replaceAll(/\s+/g, ' ')).toContain(row.about);
    if (!row.offline) expect(out).toContain(`Needs the role ${row.role}.`);
  });

  it.each(commands.filter((row) => !row.offline).map(({ name }) => name))('%s without an address is a fault of the call', async (name) => {
    const { exit, out, err } = await run(`${words(name)} --yes`);
    expect([exit, out]).toEqual([exitCodes.usage.code, '']);
    expect(err).toMatch(/^floodgate: .+\n$/);
  });

  it.each(commands.filter((row) => row.confirm).map(({ name }) => name))('%s asks before it does anything, and a no ends it', async (name) => {
    const questions: string[] = [];
    const refused = await run(words(name), { ask: async (question) => questions.push(question) < 0 });
    expect([refused.exit, refused.err, questions.length]).toEqual([2, 'floodgate: nothing was done\n', 1]);
    expect(await run(words(name))).toMatchObject({ exit: 2, err: expect.stringContaining('add --yes') });
  });

  it.each(['', 'sale', 'sail list', 'sale list extra', 'sale show', 'sale list --limit 0', 'sale list --limit x', 'sale list --unknown', '--timeout 0 sale list'])('"%s" is a fault of the call', async (line) => {
    expect((await run(line)).exit).toBe(exitCodes.usage.code);
  });

  it('says what was wrong in JSON to a program', async () => {
    const { err } = await run('sale list --json');
    expect(JSON.parse(err)).toEqual({ error: { ending: 'usage', message: expect.stringContaining('FLOODGATE_URL') } });
  });

  it('has a word for every group, and no group without commands', () => {
    const used = commands.filter(({ name }) => name.includes(' ')).map(({ name }) => name.slice(0, name.indexOf(' ')));
    expect(Object.keys(groups).toSorted()).toEqual([...new Set(used)].toSorted());
    expect(makeProgram({ out: () => undefined, err: () => undefined }).commands.map((one) => one.name()).length).toBeGreaterThan(1);
  });
});

describe('docs/cli.md', () => {
  const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

  it.each(commands.map(({ name }) => name))('names %s', (name) => {
    expect(page).toMatch(new RegExp(`\`${name}[ \`]`));
  });

  it('has the exit codes as they are, and as scripts know them', () => {
    expect(Object.entries(exitCodes).map(([ending, { code }]) => [ending, code])).toEqual([['done', 0], ['refused', 1], ['usage', 2], ['unknown', 3], ['interrupted', 130]]);
    for (const { code, meaning } of Object.values(exitCodes)) expect(page).toContain(`| ${code} | ${meaning} |`);
  });
});
