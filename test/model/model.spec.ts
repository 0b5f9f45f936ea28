import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { files, root } from '../architecture/source.js';
import { modelPage, type ModelResult } from '../support/model-page.js';
import { explore, type Exploration } from './explore.js';
import { paymentGuards, paymentWorlds, reservationGuards, reservationWorlds } from './guards.js';
import { paymentModel, type PaymentGuard } from './payment.model.js';
import { reservationModel, type Guard } from './reservation.model.js';

/** `npm run model` explores further than every test run does. */
const size = process.env['MODEL_BOUNDS'] === 'large' ? 'large' : 'small';
const result: ModelResult = { worlds: [], guards: [] };

const worldNames = Object.keys(reservationWorlds) as (keyof typeof reservationWorlds)[];
const moneyNames = Object.keys(paymentWorlds) as (keyof typeof paymentWorlds)[];

function note(line: string): void {
  if (size === 'large') process.stdout.write(`${line}\n`);
}

function keep(of: string, what: string, explored: Exploration): void {
  note(`${of}: ${explored.states} states, ${explored.settled} settled`);
  result.worlds.push({ of, what, states: explored.states });
}

describe('the protocol keeps every promise', () => {
  it.each(worldNames)('of reservations: %s', (name) => {
    const explored = explore(reservationModel(reservationWorlds[name][size]), 12_000_000);
    expect(explored.broken).toBeNull();
    expect(explored.settled).toBeGreaterThan(0);
    keep(name, reservationWorlds[name].what, explored);
  }, 3_600_000);

  it.each(moneyNames)('of payment: late money and %s', (name) => {
    const explored = explore(paymentModel(paymentWorlds[name][size]));
    expect(explored.broken).toBeNull();
    expect(explored.settled).toBeGreaterThan(0);
    keep(`payment, ${name}`, paymentWorlds[name].what, explored);
  });
});

describe('without this guard a promise breaks:', () => {
  it.each(Object.entries(reservationGuards))('%s', (guard, { world, breaks }) => {
    const { broken } = explore(reservationModel(reservationWorlds[world].small, guard as Guard));
    expect(broken?.promise).toBe(breaks);
    result.guards.push({ guard, world, breaks, trace: broken!.trace });
    note(`without "${guard}": ${breaks}: ${broken!.trace.join(' → ')}`);
  });

  it.each(Object.entries(paymentGuards))('%s, of payment', (guard, { world, breaks }) => {
    const { broken } = explore(paymentModel(paymentWorlds[world].small, guard as PaymentGuard));
    expect(broken?.promise).toBe(breaks);
    result.guards.push({ guard, world: `payment, ${world}`, breaks, trace: broken!.trace });
    note(`without "${guard}": ${breaks}: ${broken!.trace.join(' → ')}`);
  });
});

describe('docs/model.md', () => {
  it('is current (npm run docs)', () => {
    expect(result.worlds.length + result.guards.length).toBe(worldNames.length + moneyNames.length + Object.keys(reservationGuards).length + Object.keys(paymentGuards).length);
    if (size === 'large') return;
    const page = modelPage(result);
    if (process.env['WRITE_PAGES'] === 'true') writeFileSync(path.join(root, 'docs/model.md'), page);
    expect(files('docs/model.md').map(({ text }) => text)).toEqual([page]);
  });
});
