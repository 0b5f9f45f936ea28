import { describe, expect, it } from '@jest/globals';
import path from 'node:path';
import { switches } from '@floodgate/contracts';
import { exists, files } from './source.js';

const pages = [...files('*.md'), ...files('docs/**/*.md'), ...files('scenarios/*.md')];

describe.each(pages.map((page) => [page.path, page.text]))('%s', (name, text) => {
  it('names only paths that exist', () => {
    expect(missing(name, text, exists)).toEqual([]);
  });
});

/** `[file](path): "part of its name"; "another part"`: tests that a page says something of, with the file relative to the page. */
const namedTests = (page: string, text: string): [file: string, name: string][] => [...text.matchAll(/\]\(([^)\s]+spec\.ts)\): ((?:"[^"]+"(?:, )?)+)/g)]
  .flatMap((match) => [...match[2]!.matchAll(/"([^"]+)"/g)].map((name): [string, string] => [path.posix.join(path.posix.dirname(page), match[1]!), name[1]!]));
const goneTests = (page: string, text: string): string[] => namedTests(page, text).filter(([file, name]) => !files(file)[0]?.text.includes(name)).map(([file, name]) => `${file}: ${name}`);

describe('tests that pages name', () => {
  it('exist', () => expect(pages.flatMap((page) => goneTests(page.path, page.text))).toEqual([]));
  it('that do not are found', () => {
    const gone = ['nobody', 'tests', 'this'].join(' ');
    expect(goneTests('docs/page.md', `See [it](../test/architecture/docs.spec.ts): "that do not", "${gone}".`)).toEqual([`test/architecture/docs.spec.ts: ${gone}`]);
  });
});

describe('docs/operations.md', () => {
  const { text } = files('docs/operations.md')[0]!;
  const rows = section(text, '## Doing less').filter((line) => line.startsWith('|')).slice(2);

  it('says of every way to do less what it does, with a test that rehearses it', () => {
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter((row) => namedTests('docs/operations.md', row).length === 0)).toEqual([]);
  });

  it('knows every switch that turns something off', () => {
    const off = Object.entries(switches).filter(([, { type }]) => type === 'boolean').map(([name]) => name);
    expect(off.filter((name) => !rows.some((row) => row.includes(`\`${name}\``)))).toEqual([]);
  });
});

it('a missing path is found, as a link and as code', () => {
  const text = 'See [it](gone.md) and `apps/gone/src/main.ts`, but not https://example.org/gone.md or [there](#there).';
  expect(missing('docs/page.md', text, () => false)).toEqual(['docs/gone.md', 'apps/gone/src/main.ts']);
});

/** The lines of one section, up to the next heading of its level. */
function section(text: string, heading: string): string[] {
  const lines = text.split('\n');
  const start = lines.indexOf(heading) + 1;
  const end = lines.findIndex((line, index) => index >= start && line.startsWith('## '));
  return lines.slice(start, end === -1 ? undefined : end);
}

/** Targets of links, relative to the page, and code that looks like a path from the root of the repository. */
function missing(page: string, text: string, isThere: (name: string) => boolean): string[] {
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => path.posix.join(path.posix.dirname(page), match[1]!));
  const names = [...text.matchAll(/`((?:apps|libs|tools|test|docs|scenarios|deploy|k8s)\/[^`\s]*)`/g)].map((match) => match[1]!);
  return [...links, ...names.map((name) => name.replace(/[…:].*$/, ''))].filter((name) => !isThere(name));
}
