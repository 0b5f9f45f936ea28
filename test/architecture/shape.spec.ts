import { describe, expect, it } from '@jest/globals';
import path from 'node:path';
import { files, findAll, functions, isTest, withoutComments, type SourceFile } from './source.js';

const code = files('{apps,libs,tools,test}/**/*.{ts,mjs}').filter((file) => !file.path.endsWith('.d.ts'));
// What a compiler leaves beside the source when it is called without the project's settings.
const strays = files('{apps,libs,tools,test}/**/*.{js,d.ts,map}');
const scripts = files('apps/**/*.{lua,sql}');
const apps = new Set(code.flatMap((file) => /^apps\/([^/]+)\//.exec(file.path)?.[1] ?? []));
const linesOf = (text: string): number => text.split('\n').length - 1;

/** Each rule names the places that break it. The fixture beside it must be one: a rule that cannot fail checks nothing. */
const rules: Record<string, { broken: SourceFile; check: (file: SourceFile) => string[] }> = {
  'no file is longer than 300 lines': {
    broken: { path: 'apps/a/src/long.ts', text: '\n'.repeat(301) },
    check: (file) => (linesOf(file.text) > 300 ? [`${file.path}: ${linesOf(file.text)} lines`] : []),
  },
  // A migration is SQL to be read from top to bottom; cutting it up would only hide it.
  'no function is longer than 70 lines': {
    broken: { path: 'apps/a/src/long.ts', text: `function long() {${'\n'.repeat(70)}}` },
    check: (file) => (isTest(file) || file.path.includes('/migrations/') || linesOf(file.text) < 70 ? [] : functions(file).filter(({ lines }) => lines > 70).map(({ line, name, lines }) => `${file.path}:${line} ${name}: ${lines} lines`)),
  },
  'no constructor takes more than 5 parameters': {
    broken: { path: 'apps/a/src/wide.ts', text: 'class Wide { constructor(a, b, c, d, e, f) {} }' },
    check: (file) => (isTest(file) || !/constructor\((?:[^)]*,){5}/.test(file.text) ? [] : functions(file)).filter((one) => one.constructorParams > 5).map(({ line }) => `${file.path}:${line}`),
  },
  'no barrel inside an app': {
    broken: { path: 'apps/a/src/sale/index.ts', text: '' },
    check: (file) => (/^apps\/.*\/index\.ts$/.test(file.path) ? [file.path] : []),
  },
  'only config.ts reads the environment': {
    broken: { path: 'apps/a/src/sale/sale.store.ts', text: 'const url = process.env.URL;' },
    check: (file) => (isTest(file) || /^tools\/|^apps\/[^/]+\/src\/config\.ts$|^libs\/platform\/src\/config\//.test(file.path) ? [] : found(file, /(process\.env)\b/g)),
  },
  'apps never import apps': {
    broken: { path: 'apps/a/src/b.ts', text: "import { x } from '../../seckill/src/x.js';" },
    check: (file) => imports(file).filter((target) => foreignApp(file.path, target)).map((target) => `${file.path}: ${target}`),
  },
  'libs never import apps': {
    broken: { path: 'libs/platform/src/b.ts', text: "import { x } from '@floodgate/seckill';" },
    check: (file) => (file.path.startsWith('libs/') ? imports(file).filter((target) => foreignApp(file.path, target)).map((target) => `${file.path}: ${target}`) : []),
  },
  'contracts imports no framework': {
    broken: { path: 'libs/contracts/src/b.ts', text: "import { Injectable } from '@nestjs/common';" },
    check: (file) => (file.path.startsWith('libs/contracts/src/') && !isTest(file)
      ? imports(file).filter((target) => !/^(\.{1,2}\/|node:|zod$)/.test(target)).map((target) => `${file.path}: ${target}`) : []),
  },
  'only apps/seckill/src/stock names a stock key': {
    broken: { path: 'apps/seckill/src/board/b.ts', text: 'const key = `{${saleId}:${lane}}:stock`;' },
    check: (file) => (!file.path.startsWith('apps/') || isTest(file) || file.path.startsWith('apps/seckill/src/stock/') ? [] : found(file, /([}'"`]:(?:sale|stock|resv|buyer|ip|relay|admitted)\b)/g)),
  },
  'no test is skipped, and none stands alone': {
    broken: { path: 'apps/a/src/b.spec.ts', text: "it.only('works', () => {});" },
    check: (file) => (isTest(file) ? found(file, /\b((?:it|test|describe)(?:\.each)?\.(?:skip|only|todo)|xit|xtest|xdescribe|fit|fdescribe)\b\s*[(.]/g) : []),
  },
  'no test sleeps': {
    broken: { path: 'apps/a/src/b.spec.ts', text: 'await sleep(100);' },
    check: (file) => (/spec\.ts$/.test(file.path) ? found(file, /\b(?:await|return) ((?:sleep|delay)\(|new Promise\(.{0,40}setTimeout)/g) : []),
  },
  // Jest would read them instead of the source.
  'nothing compiled lies beside the source': {
    broken: { path: 'tools/src/b.js', text: '' },
    check: (file) => (/\.(js|d\.ts|map)$/.test(file.path) ? [file.path] : []),
  },
  'nothing is left to do': {
    broken: { path: 'apps/a/src/b.ts', text: '// TODO: later' },
    // In quotes XXX is a currency: ISO 4217's word for none.
    check: (file) => [...file.text.matchAll(/(?<!')\b(TODO|FIXME|XXX|HACK)\b/g)].map((match) => `${file.path}: ${match[1]}`),
  },
};

// This folder holds the fixtures, each of which breaks a rule.
const checked = [...code, ...scripts, ...strays].filter((file) => !file.path.startsWith('test/architecture/'));

describe.each(Object.entries(rules))('%s', (_rule, { broken, check }) => {
  it('holds everywhere', () => {
    expect(checked.flatMap(check)).toEqual([]);
  });

  it('can fail', () => {
    expect(check(broken)).toHaveLength(1);
  });
});

it('looks at every app and lib', () => {
  expect([...apps].sort()).toEqual(['cli', 'gateway', 'notification', 'order', 'promotion', 'sandbox-payment', 'seckill']);
  expect(checked.some((file) => file.path.startsWith('libs/platform/src/'))).toBe(true);
});

function found(file: SourceFile, pattern: RegExp): string[] {
  return findAll([file], pattern).map((one) => `${file.path}: ${one.found}`);
}

function imports(file: SourceFile): string[] {
  return [...withoutComments(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
}

function foreignApp(from: string, target: string): boolean {
  const own = /^apps\/([^/]+)\//.exec(from)?.[1];
  const named = target.startsWith('.') ? /^apps\/([^/]+)\//.exec(path.posix.join(path.posix.dirname(from), target))?.[1] : /^@floodgate\/([^/]+)/.exec(target)?.[1];
  // Tests and tools look into apps on purpose; nothing else does.
  return Boolean(named && apps.has(named) && named !== own && /^(apps|libs)\//.test(from));
}
