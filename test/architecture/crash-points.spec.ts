import { describe, expect, it } from '@jest/globals';
import { crashPoints, type CrashPointRow } from '@floodgate/platform';
import { exists, files, findAll, isTest, type SourceFile } from './source.js';

const production = files('{apps,libs}/*/src/**/*.ts').filter((file) => !isTest(file));
const homes = { any: 'libs/platform/', order: 'apps/order/', seckill: 'apps/seckill/' };

describe.each(Object.entries<CrashPointRow>(crashPoints))('crash point %s', (point, { service, hitBy }) => {
  it('is passed where it belongs, and nowhere else', () => {
    expect(faults(production, point, homes[service])).toEqual([]);
  });

  it('is hit by a test that there is', () => {
    expect(hitBy === undefined || exists(hitBy)).toBe(true);
  });
});

it('every place that is passed is in the table', () => {
  expect(passed(production).filter(({ found }) => !Object.hasOwn(crashPoints, found))).toEqual([]);
});

it('these rules can fail', () => {
  const fixture: SourceFile[] = [{ path: 'apps/order/src/a.ts', text: "crashPoint('a.b'); // crashPoint('a.c')" }];
  expect([faults(fixture, 'a.b', 'apps/order/'), faults(fixture, 'a.b', 'apps/seckill/'), faults(fixture, 'a.c', 'apps/order/')]).toEqual(
    [[], ['apps/order/src/a.ts is the wrong place'], ['nobody passes it']]);
});

function passed(sources: readonly SourceFile[]): { path: string; found: string }[] {
  return findAll(sources, /\bcrashPoint\('([^']+)'\)/g);
}

function faults(sources: readonly SourceFile[], point: string, home: string): string[] {
  const places = passed(sources).filter(({ found }) => found === point).map(({ path }) => path);
  return places.length === 0 ? ['nobody passes it'] : places.filter((place) => !place.startsWith(home)).map((place) => `${place} is the wrong place`);
}
