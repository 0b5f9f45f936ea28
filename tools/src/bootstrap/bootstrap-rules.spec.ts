import { describe, expect, it } from '@jest/globals';

import { lacks, launchersOf, projectsToBuild, supportsTools, type ProcessView } from '../../bootstrap-rules.mjs';

describe('which Node is new enough', () => {
  it.each([
    ['20.19.0', true], ['20.20.2', true], ['24.0.0', true], ['20.18.9', false], ['18.99.99', false], ['9.0.0', false],
  ])('%s against 20.19.0: %s', (version, enough) => {
    expect(supportsTools(version, '20.19.0')).toBe(enough);
  });
});

describe('whether packages must be installed', () => {
  const lockfile = {
    packages: {
      '': { version: '1.0.0' },
      'libs/contracts': { version: '1.0.0' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/only-elsewhere': { version: '1.0.0', integrity: 'sha512-e', optional: true },
      'node_modules/@floodgate/contracts': { link: true },
    },
  };
  const installed = { packages: { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' }, 'node_modules/@floodgate/contracts': { link: true } } };

  it('not when all that this machine needs is there', () => {
    expect(lacks(lockfile, installed)).toBeNull();
  });
  it('when nothing is there, or an installation was cut short', () => {
    expect(lacks(lockfile, null)).toBe('nothing is installed');
    expect(lacks(lockfile, {})).toBe('nothing is installed');
  });
  it('when something is missing that we ask for ourselves, though others could do without it', () => {
    const ours = { packages: { ...lockfile.packages, '': { version: '1.0.0', devDependencies: { b: '1.0.0' } }, 'node_modules/b': { version: '1.0.0', integrity: 'sha512-b', devOptional: true } } };
    expect(lacks(ours, installed)).toBe('b changed');
  });
  it.each([
    ['a version', { version: '0.9.0', integrity: 'sha512-a' }],
    ['the content of a version', { version: '1.0.0', integrity: 'sha512-b' }],
  ])('when %s differs', (_, other) => {
    expect(lacks(lockfile, { packages: { ...installed.packages, 'node_modules/a': other } })).toBe('a changed');
  });
  it('when a new workspace is not linked yet', () => {
    expect(lacks(lockfile, { packages: { 'node_modules/a': installed.packages['node_modules/a'] } })).toBe('@floodgate/contracts changed');
  });
});

describe('what is built', () => {
  it.each([
    ['start', [], 'all'], ['up', ['--detach'], 'all'], ['test', [], 'all'], ['bench', [], 'all'], ['test', ['test/e2e/oversell'], 'all'],
    ['test', ['tools/src'], ['tools']], ['down', [], ['tools']], ['audit', ['sale'], ['tools']],
  ])('%s %j: %j', (command, args, projects) => {
    expect(projectsToBuild(command, args)).toEqual(projects);
  });
});

describe('whose death ends everything', () => {
  const table = (...rows: [pid: number, parent: number, name: string][]) => {
    const views = new Map(rows.map(([pid, parent, name]): [number, ProcessView] => [pid, { pid, parent, name, startedAt: `t${pid}` }]));
    return (pid: number) => views.get(pid) ?? null;
  };
  const pids = (views: ProcessView[]) => views.map(({ pid }) => pid);

  it('npm, its shell and this process', () => {
    expect(pids(launchersOf({ pid: 30, parent: 20, underNpm: true, look: table([30, 20, 'node'], [20, 10, 'sh'], [10, 5, 'npm run up'], [5, 1, 'bash']) }))).toEqual([30, 20, 10]);
  });
  it('npm and this process where the shell replaced itself', () => {
    expect(pids(launchersOf({ pid: 30, parent: 10, underNpm: true, look: table([30, 10, 'node'], [10, 5, 'npm start'], [5, 1, 'bash']) }))).toEqual([30, 10]);
  });
  it('this process alone when it was called directly: the caller may end and mean it', () => {
    expect(pids(launchersOf({ pid: 30, parent: 20, underNpm: false, look: table([30, 20, 'node'], [20, 1, 'bash']) }))).toEqual([30]);
  });
  it('this process alone when npm is only somewhere far above', () => {
    const look = table([30, 20, 'node'], [20, 19, 'a'], [19, 18, 'b'], [18, 17, 'c'], [17, 1, 'npm test']);
    expect(pids(launchersOf({ pid: 30, parent: 20, underNpm: true, look }))).toEqual([30]);
  });
});
