import { describe, expect, it } from '@jest/globals';
import { checks, preflight } from './preflight.js';
import type { Sale } from './sale.entity.js';
import { draftSale } from './sale.samples.js';

const beforeMs = Date.UTC(2026, 10, 26);
const [first, second] = draftSale().items as [Sale['items'][number], Sale['items'][number]];
const failing = (sale: Sale, nowMs = beforeMs) => preflight(sale, nowMs).rows.filter((row) => !row.ok).map((row) => row.check);

describe('the checklist before arming', () => {
  it('has nothing to say against a sound sale', () => {
    expect(preflight(draftSale(), beforeMs)).toMatchObject({ ok: true, rows: checks.map(({ check }) => ({ check, ok: true })) });
  });

  const broken: Record<string, Partial<Sale>[]> = {
    window: [{ opensAtMs: 1, closesAtMs: 2 }],
    quotas: [{ items: [{ ...first, quota: 0 }, second] }],
    'distinct-skus': [{ items: [first, first] }],
    prices: [{ items: [{ ...first, price: { amount: 0, currency: 'GBP' } }] }, { items: [{ ...first, listPrice: { amount: 1, currency: 'GBP' } }] }],
    limits: [{ limits: { perAccount: 521 } }, { limits: { perAccount: 1 }, items: [first, { ...second, perAccount: 2 }] }],
    features: [{ items: [{ ...first, kind: 'voucher' as 'goods' }] }],
    arming: [{ state: 'APPROVED', armError: 'order is away' }],
  };

  it.each(checks.map(({ check }) => check))('%s fails by itself, and says why', (check) => {
    expect(broken[check]).toBeDefined();
    for (const changes of broken[check] ?? []) {
      const sale = draftSale(changes);
      expect(failing(sale)).toEqual([check]);
      expect(preflight(sale, beforeMs)).toMatchObject({ ok: false });
      expect(preflight(sale, beforeMs).rows.find((row) => row.check === check)?.detail).not.toBe('');
    }
  });

  it('does not mind that the opening has passed', () => {
    expect(failing(draftSale(), draftSale().opensAtMs + 1)).toEqual([]);
  });
});
