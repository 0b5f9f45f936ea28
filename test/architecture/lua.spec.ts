import { describe, expect, it } from '@jest/globals';
import { files, isTest } from './source.js';

const scripts = files('apps/**/*.lua');
const production = files('apps/*/src/**/*.ts').filter((file) => !isTest(file));

describe.each(scripts.map((script) => [script.path, script.text]))('%s', (path, text) => {
  it('has the header: purpose, KEYS, ARGV, what it returns', () => {
    expect(headerFaults(text)).toEqual([]);
  });

  it('is loaded by one file, beside it', () => {
    const name = path.split('/').at(-1)!.replace(/\.lua$/, '');
    const loaders = production.filter((file) => new RegExp(`['"\`/]${name}(?:\\.lua)?['"\`]`).test(file.text) && /\.lua/.test(file.text)).map((file) => file.path);
    expect(loaders).toEqual([expect.stringMatching(new RegExp(`^${path.slice(0, path.lastIndexOf('/'))}/`))]);
  });
});

it('a header can be wrong', () => {
  expect(headerFaults('local a = KEYS[1]')).toEqual(['no purpose', 'no KEYS', 'no ARGV', 'no words']);
});

/** The comment lines before the first line of code. */
export function header(text: string): string[] {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => !line.startsWith('--') && !line.startsWith('#!'));
  return lines.slice(0, first).filter((line) => line.startsWith('--')).map((line) => line.slice(2).trim());
}

/** The words that a script says it answers with. */
export function returnedWords(text: string): string[] {
  const lines = header(text);
  const at = lines.findIndex((line) => /\bword:/.test(line));
  if (at < 0) return [];
  const rest = [lines[at]!.replace(/^.*\bword:/, ''), ...lines.slice(at + 1)];
  const end = rest.findIndex((line, index) => index > 0 && (/^\w+:/.test(line) || !/^\||\|$/.test(line) && !rest[index - 1]!.trim().endsWith('|')));
  return rest.slice(0, end < 0 ? undefined : end).join(' ').replaceAll(/\([^)]*\)/g, '').split('|').map((word) => word.trim()).filter(Boolean);
}

function headerFaults(text: string): string[] {
  const lines = header(text);
  const faults: [boolean, string][] = [
    [/^[A-Z].*[.:]?$/.test(lines[0] ?? ''), 'no purpose'],
    [lines.some((line) => line.includes('KEYS[1]')), 'no KEYS'],
    [lines.some((line) => line.includes('ARGV[')), 'no ARGV'],
    [returnedWords(text).length > 0 && lines.some((line) => line.startsWith('Returns')), 'no words'],
  ];
  return faults.filter(([fine]) => !fine).map(([, fault]) => fault);
}
