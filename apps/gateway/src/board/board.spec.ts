import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BoardLane, SaleDocument } from '@floodgate/contracts';
import { aLane, aSale } from '../testing/gateway.fixture.js';
import { Board } from './board.js';
import { PlatformClock } from './platform-clock.js';

const sale: SaleDocument = aSale();
const [first = '', second = ''] = sale.items.map(({ itemId }) => itemId);
const atMs = Date.now();
let clock: PlatformClock;
let board: Board;
let seq: number;

beforeEach(() => {
  seq = 0;
  clock = new PlatformClock();
  board = new Board(clock);
  board.applyWhole({ atMs, lanes: [aLane(sale, { atMs, admitted: [1, 2] })] }, board.gapCount);
});

const lane = (changes: Partial<BoardLane>): BoardLane => ({ ...aLane(sale, { atMs, whole: false, items: [], admittedFrom: 2 }), ...changes });
const beat = (changes: Partial<BoardLane>, message: { seq?: number; source?: string } = {}): boolean =>
  board.apply({ source: 'a', seq: seq++, atMs: changes.atMs ?? atMs, lanes: [lane(changes)], ...message });
const available = (itemId: string) => board.trustedLanes(sale)?.[0]?.items.get(itemId)?.available;

describe('the board', () => {
  it('takes changes in, one broadcast after the other', () => {
    beat({ whole: true, items: [[first, 10, 0], [second, 5, 0]] });
    expect(beat({ items: [[first, 3, 2]], admitted: [9] })).toBe(true);
    expect(beat({ items: [[second, 0, 1]], admittedFrom: 3, admitted: [10] })).toBe(true);
    expect([available(first), available(second)]).toEqual([3, 0]);
    expect([1, 2, 9, 10, 11].map((hash) => board.isAdmitted(sale.saleId, hash))).toEqual([true, true, true, true, false]);
    expect(board.trustedLanes(sale)?.[0]?.itemsLeft).toBe(1);
  });

  it.each<[string, () => void]>([
    ['a broadcast was missed', () => beat({}, { seq: 7 })],
    ['another instance speaks of changes only', () => beat({}, { source: 'b', seq: 0 })],
    ['admissions were missed', () => beat({ whole: true, admittedFrom: 5, items: [[first, 1, 0], [second, 1, 0]] })],
    ['a lane was loaded again and only changes are told', () => beat({ epoch: 2, items: [[first, 1, 0]], admittedFrom: 0 })],
  ])('is not trusted when %s, until the whole was told', (_, miss) => {
    beat({ whole: true, items: [[first, 10, 0], [second, 5, 0]] });
    expect(board.trustedLanes(sale)).not.toBeNull();
    miss();
    expect([board.trustedLanes(sale), board.isCurrent()]).toEqual([null, false]);
    const gaps = board.gapCount;
    board.applyWhole({ atMs, lanes: [aLane(sale, { atMs, epoch: 2 })] }, gaps);
    expect(board.trustedLanes(sale)).not.toBeNull();
  });

  it('stays untrusted when something was missed again while the whole was asked for', () => {
    const gaps = board.gapCount;
    beat({}, { seq: 7 });
    board.applyWhole({ atMs, lanes: [] }, gaps);
    expect(board.hasGap).toBe(true);
  });

  it('keeps what is newer when answers and broadcasts overtake each other', () => {
    beat({ whole: true, items: [[first, 10, 0], [second, 5, 0]] });
    beat({ atMs: atMs + 10, items: [[first, 2, 0]] });
    board.applyWhole({ atMs: atMs + 5, lanes: [aLane(sale, { atMs: atMs + 5, items: [[first, 4, 0], [second, 1, 0]], state: 'PAUSED', version: 5 })] }, board.gapCount);
    expect([available(first), available(second)]).toEqual([2, 1]);
    expect(board.trustedLanes(sale)?.[0]?.state).toBe('ARMED');
  });

  it('counts what is left and what may return, whatever the order of changes', () => {
    for (const items of [[[first, 0, 3]], [[first, -1, 3]], [[second, 0, 0]], [[first, 1, 2]], [[first, 0, 0]]] as [string, number, number][][]) beat({ items });
    const known = board.sale(sale.saleId)?.lanes.get(0);
    expect([known?.itemsLeft, known?.unsettledUnits]).toEqual([0, 0]);
  });

  it('ignores a lane of an older epoch, but never forgets an admitted account', () => {
    beat({ epoch: 2, whole: true, items: [[first, 1, 0], [second, 1, 0]], admittedFrom: 0 });
    beat({ epoch: 1, items: [[first, 10, 0]], admitted: [77] });
    expect(board.sale(sale.saleId)?.lanes.get(0)?.items.get(first)?.available).toBe(1);
    expect([1, 77].map((hash) => board.isAdmitted(sale.saleId, hash))).toEqual([true, true]);
  });

  it('is trusted for three seconds', () => {
    beat({ whole: true, items: [[first, 10, 0], [second, 5, 0]] });
    clock.nowMs = () => atMs + 2_999;
    expect([board.trustedLanes(sale) !== null, board.isCurrent()]).toEqual([true, true]);
    clock.nowMs = () => atMs + 3_000;
    expect([board.trustedLanes(sale) !== null, board.isCurrent()]).toEqual([false, false]);
  });

  it('forgets a sale that nobody told of for an hour', () => {
    board.forgetSilent();
    expect(board.sale(sale.saleId)).toBeDefined();
    board.apply({ source: 'a', seq: 0, atMs: atMs + 3_600_001, lanes: [] });
    board.forgetSilent();
    expect(board.sale(sale.saleId)).toBeUndefined();
  });

  it('is not trusted for a sale of which a lane is missing', () => {
    expect(board.trustedLanes({ ...sale, lanes: 2 })).toBeNull();
    expect(board.trustedLanes({ ...sale, saleId: 'Sale000002' })).toBeNull();
  });
});
