import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dashboardJson } from '../../tools/src/observe/dashboard-json.js';
import { dashboards } from '../../tools/src/observe/dashboards.js';
import { faultMatrix, notCaused } from '../faults/fault-matrix.js';
import { mutants } from '../mutants/mutants.js';
import { racePage, type RaceTables } from '../support/race-page.js';
import { faultPage, mutantPage } from '../support/table-pages.js';
import { files, root } from './source.js';

// By name, so that the compiler does not take the apps for a part of this project.
const load = (name: string): Promise<any> => import(name);
const race: RaceTables = await load('../../apps/order/src/payment/payment-race.ts');

/** Pages that are made of tables in the code. `npm run docs` writes them: it runs this with WRITE_PAGES. */
const pages: Record<string, () => string> = {
  'docs/payment-race.md': () => racePage(race),
  ...Object.fromEntries(Object.entries(dashboards).map(([name, dashboard]) => [`deploy/grafana/dashboards/${name}.json`, () => dashboardJson(name, dashboard)])),
  'docs/mutants.md': () => mutantPage(mutants),
  'docs/fault-matrix.md': () => faultPage(faultMatrix, notCaused),
};

describe.each(Object.entries(pages))('%s', (name, render) => {
  it('is current (npm run docs)', () => {
    if (process.env['WRITE_PAGES'] === 'true') writeFileSync(path.join(root, name), render());
    expect(files(name).map((page) => page.text)).toEqual([render()]);
  });
});

it('a changed cell changes the page', () => {
  const changed = { ...race, paymentRace: { ...race.paymentRace, PAID: { ...race.paymentRace['PAID'], captured: 'keep' } } };
  expect(racePage(changed)).not.toBe(racePage(race));
});
