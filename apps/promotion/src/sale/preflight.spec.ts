import { describe, expect, it } from '@jest/globals';
import { soundFacts } from '../support/sound-facts.js';
import { checks } from './preflight.checks.js';
import { preflight } from './preflight.js';
import { faults } from './preflight.samples.js';
import type { Sale } from './sale.entity.js';
import { draftSale } from './sale.samples.js';

const beforeMs = Date.UTC(2026, 10, 26);
const failing = (sale: Sale, facts = soundFacts(sale), nowMs = beforeMs) => preflight(sale, facts, nowMs).rows.filter((row) => !row.ok).map((row) => row.check);

describe('the checklist before arming', () => {
  it('has nothing to say against a sound sale, loaded or not', () => {
    const sale = draftSale();
    expect(preflight(sale, soundFacts(sale), beforeMs)).toMatchObject({ ok: true, rows: [...checks.map(({ check }) => ({ check, ok: true })), { check: 'arming', ok: true }] });
    expect(failing(sale, soundFacts(sale, { lanes: [], stock: { ...soundFacts(sale).stock!, copy: null, inventory: [] } }))).toEqual([]);
  });

  it.each(checks.map(({ check }) => check))('%s fails by itself, and says why', (check) => {
    expect(faults[check]).toBeDefined();
    for (const { sale: changes = {}, facts = () => ({}) } of faults[check] ?? []) {
      const sale = draftSale(changes);
      const rows = preflight(sale, soundFacts(sale, facts(sale)), beforeMs).rows.filter((row) => !row.ok);
      expect(rows.map((row) => row.check)).toEqual([check]);
      expect(rows[0]?.detail).not.toBe('');
    }
  });

  it('says what the last try to arm came to, which keeps nobody from trying again', () => {
    expect(failing(draftSale({ state: 'APPROVED', armError: 'order is away' }))).toEqual(['arming']);
    expect(checks.map(({ check }) => check)).not.toContain('arming');
  });

  it('does not mind that the opening has passed, that a limit is larger than the stock, or that one of two items is empty', () => {
    expect(failing(draftSale(), undefined, draftSale().opensAtMs + 1)).toEqual([]);
    const { items: [first, second] } = draftSale();
    expect(failing(draftSale({ limits: { perAccount: 10_000 }, items: [{ ...first!, quota: 0 }, second!] }))).toEqual([]);
  });

  it('mentions vouchers with fewer codes than units, and lets them be sold: more may come', () => {
    const sale = draftSale({ items: [{ ...draftSale().items[0]!, kind: 'voucher' }] });
    const rows = preflight(sale, soundFacts(sale, { stock: { ...soundFacts(sale).stock!, codes: [{ itemId: `${sale.id}-1`, codes: 499 }] } }), beforeMs).rows;
    expect(rows.find(({ check }) => check === 'codes')).toMatchObject({ ok: true, detail: expect.stringContaining('fewer codes than units') });
  });

  it('does not take a slow answer for a wrong clock, nor sold units for missing ones', () => {
    const sale = draftSale();
    const facts = soundFacts(sale);
    const slow = { ...facts.clocks.redis!, receivedMs: 5_000, atMs: facts.clocks.redis!.atMs + 4_000 };
    expect(failing(sale, { ...facts, clocks: { redis: slow, postgres: facts.clocks.postgres } })).toEqual([]);
    const copy = { ...facts.stock!.copy!, items: facts.stock!.copy!.items.map((item) => ({ ...item, free: item.free - 3 })) };
    const lanes = facts.lanes!.map((lane) => ({ ...lane, reservations: 3, stock: lane.stock.map((item) => ({ ...item, available: item.available - 3 })) }));
    expect(failing(sale, { ...facts, lanes, stock: { ...facts.stock!, copy, inventory: facts.stock!.inventory.map((row) => ({ ...row, free: row.free - 3 })) } })).toEqual([]);
  });
});
