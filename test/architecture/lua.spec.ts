import { describe, expect, it } from '@jest/globals';
import path from 'node:path';
import { files, findAll, isTest, type SourceFile } from './source.js';

const scripts = files('apps/**/*.lua');
const production = files('apps/*/src/**/*.ts').filter((file) => !isTest(file));

describe.each(scripts.map((script) => [script.path, script] as const))('%s', (name, script) => {
  it('has the header: purpose, KEYS, ARGV, the words it returns', () => {
    expect(headerFaults(script.text)).toEqual([]);
  });

  it('returns the words of its header, and no others', () => {
    expect(wordFaults(script.text)).toEqual([]);
  });

  it('is loaded once, beside it, under words that its wrapper knows', () => {
    const loaders = findAll(production, new RegExp(`(\\w+): new RedisScript\\('${path.basename(name)}'(?:, import\\.meta\\.url)?\\)`, 'g'));
    expect(loaders.map((loader) => path.dirname(loader.path))).toEqual([path.dirname(name)]);
    const wrappers = production.filter((file) => file.text.includes(`scripts.${loaders[0]?.found}.`));
    expect(unionFaults(script.text, wrappers, scripts)).toEqual([]);
  });
});

describe('these rules can fail', () => {
  const top = '-- Purpose.\n--\n-- KEYS[1] sale\n-- ARGV[1] epoch\n-- Returns word: done | older\n';
  const wrapper = (text: string): SourceFile[] => [{ path: 'apps/a/src/b.store.ts', text }];
  it('each in its way', () => {
    expect(headerFaults('local a = KEYS[1]')).toEqual(['no purpose', 'no KEYS', 'no ARGV', 'no words']);
    expect(wordFaults(`${top}if old then return 'elder' end\nreturn 'done'`)).toEqual(['older is never returned', 'elder is not in the header']);
    expect(unionFaults(top, wrapper("type Word = 'done';"), [])).toEqual(['no wrapper knows older']);
    expect(unionFaults(top, wrapper("type Word = 'done' | 'older' | 'gone';"), [])).toEqual(['the script never says gone']);
  });
});

/** The comment lines before the first line of code. */
function header(text: string): string[] {
  const lines = text.split('\n');
  return lines.slice(0, lines.findIndex((line) => !/^(--|#!)/.test(line))).filter((line) => line.startsWith('--')).map((line) => line.slice(3));
}

function headerFaults(text: string): string[] {
  const lines = header(text);
  const faults: [boolean, string][] = [
    [/^[A-Z]\w+ /.test(lines[0] ?? '') || /^[A-Z]\w+\.$/.test(lines[0] ?? ''), 'no purpose'],
    [lines.some((line) => line.startsWith('KEYS[1]')), 'no KEYS'],
    [lines.some((line) => line.startsWith('ARGV')), 'no ARGV'],
    [lines.some((line) => line.startsWith('Returns')) && words(text).length > 0, 'no words'],
  ];
  return faults.filter(([fine]) => !fine).map(([, fault]) => fault);
}

/** `word: a | b (when) | c`, and for a vector `attempt: a|more   b` with two spaces or more between. */
function words(text: string): string[] {
  const labelled = (label: string): string => {
    const lines = header(text);
    const at = lines.findIndex((line) => new RegExp(`^(Returns| ) ?${label}: `).test(line));
    const end = lines.findIndex((line, index) => index > at && !line.startsWith('    '));
    return at < 0 ? '' : [lines[at]!.replace(new RegExp(`.*${label}: `), ''), ...lines.slice(at + 1, end < 0 ? undefined : end)].join('   ');
  };
  const named = labelled('word').replaceAll(/\([^)]*\)/g, '').split('|');
  const perAttempt = labelled('attempt').split(/\s{2,}/).map((token) => token.split('|')[0]!);
  return [...named, ...perAttempt].map((word) => word.trim()).filter(Boolean);
}

function wordFaults(text: string): string[] {
  const body = text.split('\n').filter((line) => !line.startsWith('--')).join('\n');
  const returned = [...body.matchAll(/\breturn\s+(\{?[^,\n]*)/g)].flatMap((match) => [...match[1]!.matchAll(/(?:\{ |return |and |or |^)'([a-z-]+)[|']/g)].map((word) => word[1]!));
  return [
    ...words(text).filter((word) => !new RegExp(`'${word}[|']`).test(body)).map((word) => `${word} is never returned`),
    ...returned.filter((word) => !words(text).includes(word)).map((word) => `${word} is not in the header`),
  ];
}

function unionFaults(text: string, wrappers: readonly SourceFile[], all: readonly SourceFile[]): string[] {
  const own = words(text);
  const code = wrappers.map((file) => file.text).join('\n');
  const unions = [...code.matchAll(/'[a-z-]+'(?: \| '[a-z-]+')+/g)].map((match) => match[0].replaceAll("'", '').split(' | '));
  // A file may wrap several scripts; a union that is wholly another script's is not about this one.
  const foreign = (union: string[]) => all.some((script) => script.text !== text && union.every((word) => words(script.text).includes(word)));
  return [
    ...own.filter((word) => !code.includes(`'${word}'`)).map((word) => `no wrapper knows ${word}`),
    ...unions.filter((union) => union.some((word) => own.includes(word)) && !foreign(union)).flat().filter((word) => !own.includes(word)).map((word) => `the script never says ${word}`),
  ];
}
