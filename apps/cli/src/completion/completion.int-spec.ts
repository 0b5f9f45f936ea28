import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { switchNames } from '@floodgate/contracts';
import { commands } from '../commands.js';
import { makeProgram } from '../command/program.js';
import { completionScript, shells } from './completion-script.js';

/** What bash offers for the last word. */
function offered(...words: string[]): string[] {
  const line = ['floodgate', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${completionScript('bash', commands)}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _floodgate; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

describe('completion in a real bash', () => {
  it.each(commands.map(({ name }) => name))('offers every word of %s', (name) => {
    const words = name.split(' ');
    words.forEach((word, index) => expect(offered(...words.slice(0, index), word.slice(0, 2))).toContain(word));
  });

  it.each([
    ['only what begins so', ['sale', 'li'], ['list']],
    ['a command after options and their values', ['--url', 'https://x.example', '--json', 'sale', 'sh'], ['show']],
    ['the names of switches', ['switches', 'set', 'entry-'], switchNames.filter((one) => one.startsWith('entry-'))],
    ['the values of an option', ['dead-letters', 'list', '--state', 'w'], ['waiting']],
    ['options of a command', ['dead-letters', 'replay', 'x', '--d'], ['--dry-run']],
    ['nothing where everything was said', ['switches', 'set', 'streams.enabled', ''], []],
    ['nothing for a number', ['sale', 'list', '--limit', ''], []],
    ['nothing it does not know', ['sale', 'show', ''], []],
  ])('offers %s', (_what, words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  it.each(shells)('knows every option that the %s user can give', (shell) => {
    const script = completionScript(shell, commands);
    const flagsOf = (program: ReturnType<typeof makeProgram>): string[] => [...program.options.map(({ long }) => long!), ...program.commands.flatMap((one) => flagsOf(one))];
    for (const flag of flagsOf(makeProgram({ out: () => undefined, err: () => undefined }))) expect(script).toContain(flag);
  });
});
