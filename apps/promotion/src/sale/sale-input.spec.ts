import { describe, expect, it } from '@jest/globals';
import { inputOf, readSaleInput, readSalePatch, saleInputSchema } from './sale-input.js';
import { draftSale, saleInput } from './sale.samples.js';

const merchant = 'merchant-1';
const faultsOf = (raw: unknown): string[] => {
  const outcome = readSaleInput(raw, merchant);
  if (outcome.ok) return [];
  expect(outcome.code).toBe('INVALID_REQUEST');
  return (outcome.extra!.errors as { path: string }[]).map((fault) => fault.path);
};
const [first, second] = saleInput().items as [object, object];

describe('a sale as it is sent', () => {
  it('is taken with everything that is optional left out', () => {
    expect(readSaleInput(saleInput(), merchant)).toMatchObject({
      ok: true,
      value: { opensAtMs: Date.UTC(2026, 10, 27, 10), latePayment: 'refund', limits: { perAccount: 2 }, items: [{ quota: 500 }, { perAccount: null, listPrice: null }] },
    });
  });

  it.each(['refund', 'reacquire'] as const)('takes %s for late payments, and gives it back when it is patched', (latePayment) => {
    const outcome = readSaleInput({ ...saleInput(), latePayment }, merchant);
    expect(outcome).toMatchObject({ ok: true, value: { latePayment } });
    expect(outcome.ok && inputOf(outcome.value)).toMatchObject({ latePayment });
  });

  it('takes null for no limit and no audience', () => {
    expect(faultsOf({ ...saleInput(), audience: null, limits: { perAccount: null, perIp: null, attemptsPerMinute: null } })).toEqual([]);
  });

  it('takes what the contract allows at its edges', () => {
    expect(faultsOf({ ...saleInput(), paymentWindowSeconds: 1, items: [{ ...first, quota: 0, price: { amount: 0, currency: 'GBP' } }] })).toEqual([]);
    expect(faultsOf({ ...saleInput(), paymentWindowSeconds: 86_400, opensAt: '2001-01-01T00:00:00.000Z' })).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['another merchant', { merchantId: 'merchant-2' }, '/merchantId'],
    ['no title', { title: '' }, '/title'],
    ['a title that cannot be stored', { title: 'a\u0000b' }, '/title'],
    ['half a character', { title: '\ud800' }, '/title'],
    ['an endless title', { title: 'x'.repeat(501) }, '/title'],
    ['a window that ends as it begins', { closesAt: saleInput().opensAt }, '/closesAt'],
    ['a time without milliseconds', { opensAt: '2026-11-27T10:00:00Z' }, '/opensAt'],
    ['a time elsewhere', { opensAt: '2026-11-27T10:00:00.000+01:00' }, '/opensAt'],
    ['the 30th of February', { opensAt: '2026-02-30T10:00:00.000Z' }, '/opensAt'],
    ['no time to pay', { paymentWindowSeconds: 0 }, '/paymentWindowSeconds'],
    ['more than a day to pay', { paymentWindowSeconds: 86_401 }, '/paymentWindowSeconds'],
    ['no limits member', { limits: undefined }, '/limits'],
    ['a limit of nothing', { limits: { perAccount: 0 } }, '/limits/perAccount'],
    ['an unknown field', { colour: 'red' }, '/colour'],
    ['an unknown field further in', { items: [{ ...first, 'a/b': 1 }] }, '/items/0/a~1b'],
    ['no items', { items: [] }, '/items'],
    ['more items than 5,000', { items: Array.from({ length: 5_001 }, (_, n) => ({ ...second, skuId: `sku-${n}` })) }, '/items'],
    ['a SKU twice', { items: [first, second, first] }, '/items/2/skuId'],
    ['a second currency', { items: [first, { ...second, price: { amount: 1, currency: 'EUR' } }] }, '/items/1/price/currency'],
    ['a list price in another currency', { items: [{ ...first, listPrice: { amount: 900, currency: 'EUR' } }] }, '/items/0/listPrice/currency'],
    ['a negative price', { items: [{ ...first, price: { amount: -1, currency: 'GBP' } }] }, '/items/0/price/amount'],
    ['half a unit', { items: [{ ...first, quota: 0.5 }] }, '/items/0/quota'],
    ['a quota as text', { items: [{ ...first, quota: '5' }] }, '/items/0/quota'],
    ['a lottery', { mode: 'lottery' }, '/mode'],
    ['an audience of strange names', { audience: { accounts: ['a b'] } }, '/audience/accounts/0'],
    ['a picture puzzle', { challenge: 'picture' }, '/challenge'],
  ])('refuses %s by its path', (_what, changes, path) => {
    expect(faultsOf({ ...saleInput(), ...changes })).toEqual([path]);
  });

  it('takes vouchers beside goods, as what they are', () => {
    const read = readSaleInput({ ...saleInput(), items: [first, { ...second, kind: 'voucher' }] }, saleInput().merchantId);
    expect(read.ok && read.value.items.map(({ kind }) => kind)).toEqual(['goods', 'voucher']);
  });

  it.each([null, undefined, 5, 'sale', []])('refuses %p', (raw) => {
    expect(faultsOf(raw)).toEqual(['']);
  });

  it('names all faults at once, also those between fields while another field is broken', () => {
    const faults = faultsOf({ ...saleInput(), title: 7, merchantId: 'merchant-2', mode: 'lottery', closesAt: '2020-01-01T00:00:00.000Z', extra: 1 });
    expect(faults.sort()).toEqual(['/closesAt', '/extra', '/merchantId', '/mode', '/title']);
  });

  it('may ask for a proof of work', () => {
    expect(readSaleInput({ ...saleInput(), challenge: 'proof-of-work' }, merchant)).toMatchObject({ ok: true, value: { challenge: 'proof-of-work' } });
  });

  it('is the same after it was read and written again', () => {
    const sent = saleInputSchema.parse(inputOf(draftSale()));
    expect(readSaleInput(sent, merchant)).toEqual(readSaleInput(saleInput(), merchant));
  });
});

describe('a change of a draft', () => {
  const draft = inputOf(draftSale());

  it('replaces top-level fields whole and keeps the others', () => {
    const outcome = readSalePatch(draft, { limits: { perIp: 3 }, items: [second] }, merchant);
    expect(outcome).toMatchObject({ ok: true, value: { title: draftSale().title, limits: { perIp: 3 }, items: [{ skuId: '22752' }] } });
    expect(outcome).not.toHaveProperty('value.limits.perAccount');
  });

  it('is judged together with what stays', () => {
    const outcome = readSalePatch(draft, { opensAt: '2026-11-27T12:00:00.000Z' }, merchant);
    expect(outcome).toMatchObject({ ok: false, extra: { errors: [{ path: '/closesAt' }] } });
  });

  it.each([null, [], 'title'])('must be an object, %p is none', (patch) => {
    expect(readSalePatch(draft, patch, merchant)).toMatchObject({ ok: false, code: 'INVALID_REQUEST' });
  });

  it('cannot give a sale to somebody else', () => {
    expect(readSalePatch(draft, { merchantId: 'merchant-2' }, merchant)).toMatchObject({ ok: false, extra: { errors: [{ path: '/merchantId' }] } });
  });
});
