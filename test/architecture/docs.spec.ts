import { describe, expect, it } from '@jest/globals';
import path from 'node:path';
import { exists, files } from './source.js';

const pages = [...files('*.md'), ...files('docs/**/*.md'), ...files('scenarios/*.md')];

describe.each(pages.map((page) => [page.path, page.text]))('%s', (name, text) => {
  it('names only paths that exist', () => {
    expect(missing(name, text, exists)).toEqual([]);
  });
});

it('a missing path is found, as a link and as code', () => {
  const text = 'See [it](gone.md) and `apps/gone/src/main.ts`, but not https://example.org/gone.md or [there](#there).';
  expect(missing('docs/page.md', text, () => false)).toEqual(['docs/gone.md', 'apps/gone/src/main.ts']);
});

/** Targets of links, relative to the page, and code that looks like a path from the root of the repository. */
function missing(page: string, text: string, isThere: (name: string) => boolean): string[] {
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => path.posix.join(path.posix.dirname(page), match[1]!));
  const names = [...text.matchAll(/`((?:apps|libs|tools|test|docs|scenarios|deploy|k8s)\/[^`\s]*)`/g)].map((match) => match[1]!);
  return [...links, ...names.map((name) => name.replace(/[…:].*$/, ''))].filter((name) => !isThere(name));
}
