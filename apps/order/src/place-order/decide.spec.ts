import { describe, expect, it } from '@jest/globals';
import { decide, type Given, type Wanted } from './decide.js';

const given = (free: Record<string, number>, limits: { perSale?: number; perItem?: number } = {}, used: Record<string, number> = {}): Given => ({
  free: (itemId) => {
    if (free[itemId] === undefined) throw new Error(`no item ${itemId}`);
    return free[itemId];
  },
  limits: { perSale: limits.perSale ?? null, perItem: () => limits.perItem ?? null },
  used: (accountId, itemId) => used[`${accountId}/${itemId}`] ?? 0,
});
const wants = (accountId: string, items: Record<string, number>): Wanted =>
  ({ accountId, items: Object.entries(items).map(([itemId, quantity]) => ({ itemId, quantity })) });

describe('decide', () => {
  it('goes in message order and gives what is left', () => {
    expect(decide([wants('a', { x: 2 }), wants('b', { x: 2 }), wants('c', { x: 1 })], given({ x: 3 }))).toEqual([true, false, true]);
  });

  it('gives all items or none', () => {
    expect(decide([wants('a', { x: 1, y: 1 }), wants('b', { x: 1 })], given({ x: 1, y: 0 }))).toEqual([false, true]);
  });

  it('counts what the account uses already and what it got a moment ago', () => {
    expect(decide([wants('a', { x: 1 }), wants('a', { x: 1 }), wants('b', { x: 2 })], given({ x: 9 }, { perItem: 2 }, { 'a/x': 1 }))).toEqual([true, false, true]);
    expect(decide([wants('a', { x: 1, y: 1 }), wants('a', { y: 1 }), wants('a', { x: 1 })], given({ x: 9, y: 9 }, { perSale: 3 }))).toEqual([true, true, false]);
  });

  it('does not count a refused attempt', () => {
    expect(decide([wants('a', { x: 5 }), wants('a', { x: 2 })], given({ x: 4 }, { perItem: 2 }))).toEqual([false, true]);
  });

  it('throws for an item that is not for sale, wherever it stands', () => {
    expect(() => decide([wants('a', { x: 1, z: 1 })], given({ x: 0 }))).toThrow('no item z');
  });
});
