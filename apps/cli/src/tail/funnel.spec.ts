import { describe, expect, it } from '@jest/globals';
import { isOver, sampleFrame, sampleLine, sampleOf } from './funnel.js';

const item = (quota: number, remaining: number) => ({ quota, remaining, soldOut: remaining === 0 });
const at = '2026-11-11T00:00:01.000Z';
const first = sampleOf({ id: 's1', state: 'OPEN', items: [item(10, 4), item(5, 0)] }, { reserved: 10, ordered: 8, open: 2, paid: 6, released: 2, 'payment-timeout': 2 }, at);

describe('a look at a sale', () => {
  it('adds up the units of its items', () => {
    expect(first).toMatchObject({ remaining: 4, quota: 15, soldOutItems: 1, items: 2, reserved: 10, paid: 6 });
    expect(sampleOf({ id: 's1', state: 'OPEN', items: [] }, {}, at)).toMatchObject({ remaining: 0, quota: 0, reserved: 0, released: 0 });
  });

  it('is one line for a log, with what has changed', () => {
    expect(sampleLine(first, null)).toBe(`${at} OPEN  remaining 4 of 15 (sold out: 1 of 2 items)  reserved 10  ordered 8  open 2  paid 6  released 2`);
    expect(sampleLine(first, { ...first, reserved: 7, open: 3 })).toContain('reserved 10 (+3)  ordered 8  open 2 (-1)  paid 6');
  });

  it('is bars in a terminal, never wider than it', () => {
    const frame = sampleFrame(first, null, 200);
    expect(frame.map((line) => line.replaceAll(/[^█]/g, '').length)).toEqual([0, 0, 40, 32, 8, 24, 8]);
    for (const columns of [1, 20, 80]) for (const line of sampleFrame(first, null, columns)) expect(line.length).toBeLessThanOrEqual(Math.max(1, columns - 1));
  });

  it.each([['OPEN', 0, false], ['ENDED', 1, false], ['ENDED', 0, true], ['WITHDRAWN', 0, true], ['PAUSED', 0, false]])('%s with %d open orders: over is %s', (state, open, over) => {
    expect(isOver({ ...first, state, open })).toBe(over);
  });
});
