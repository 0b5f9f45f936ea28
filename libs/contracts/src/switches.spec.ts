import { describe, expect, it } from '@jest/globals';
import { switchDefault, switchFault, switchNames, switchValues, switches, type SwitchRow } from './switches.js';

describe('the table of switches', () => {
  it.each(switchNames)('%s: a plain name, defaults within its bounds, and its bounds hold', (name) => {
    expect(name).toMatch(/^[a-z]+(?:-[a-z]+)*(?:\.[a-z]+(?:-[a-z]+)*)+$/);
    const row: SwitchRow = switches[name];
    for (const production of [true, false]) expect(switchFault(name, switchDefault(name, production))).toBeNull();
    const wrong = row.type === 'boolean' ? [0, 1, 'true', null] : [row.min - 1, row.max + 1, row.min + 0.5, String(row.min), true, null, NaN];
    for (const value of wrong) expect(switchFault(name, value)).toEqual(row.type === 'boolean' ? expect.any(String) : `must be an integer from ${row.min} to ${row.max}`);
  });

  it('has no limit per address or account in development, and some in production', () => {
    const rates = ['limits.ip.requests-per-minute', 'limits.account.requests-per-minute'] as const;
    expect(rates.map((name) => switchValues(false)[name])).toEqual([0, 0]);
    for (const name of rates) expect(switchValues(true)[name]).toBeGreaterThan(0);
  });
});

describe('values', () => {
  it('are those that were set; what is unknown or out of bounds has its default', () => {
    const values = switchValues(false, { 'streams.per-account-max': 3, 'payments.enabled': 'no', 'limits.ip.burst': 0, 'of.tomorrow': 1 });
    expect(values).toEqual({ ...switchValues(false), 'streams.per-account-max': 3 });
  });
});
