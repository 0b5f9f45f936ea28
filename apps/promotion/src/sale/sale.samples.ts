import type { Sale } from './sale.entity.js';
import type { SaleInput } from './sale-input.js';

/** A body that makes a sale of two items, open from 2026-11-27 10:00 UTC for an hour. */
export const saleInput = (changes: Partial<SaleInput> = {}): SaleInput => ({
  title: 'Winter lights, one hour',
  merchantId: 'merchant-1',
  mode: 'race',
  opensAt: '2026-11-27T10:00:00.000Z',
  closesAt: '2026-11-27T11:00:00.000Z',
  paymentWindowSeconds: 600,
  limits: { perAccount: 2 },
  challenge: 'none',
  items: [
    { skuId: '21730', title: 'Glass star T-light holder', kind: 'goods', price: { amount: 199, currency: 'GBP' }, listPrice: { amount: 425, currency: 'GBP' }, quota: 500, perAccount: 1 },
    { skuId: '22752', title: 'Set of seven nesting boxes', kind: 'goods', price: { amount: 765, currency: 'GBP' }, quota: 20 },
  ],
  ...changes,
});

/** A draft as promotion keeps it. */
export const draftSale = (changes: Partial<Sale> = {}): Sale => ({
  id: 'Sale000001',
  state: 'DRAFT',
  version: 1,
  title: 'Winter lights, one hour',
  merchantId: 'merchant-1',
  mode: 'race',
  opensAtMs: Date.UTC(2026, 10, 27, 10),
  closesAtMs: Date.UTC(2026, 10, 27, 11),
  paymentWindowSeconds: 600,
  latePayment: 'refund',
  limits: { perAccount: 2 },
  challenge: 'none',
  items: [
    { skuId: '21730', title: 'Glass star T-light holder', imageUrl: null, kind: 'goods', price: { amount: 199, currency: 'GBP' }, listPrice: { amount: 425, currency: 'GBP' }, quota: 500, perAccount: 1 },
    { skuId: '22752', title: 'Set of seven nesting boxes', imageUrl: null, kind: 'goods', price: { amount: 765, currency: 'GBP' }, listPrice: null, quota: 20, perAccount: null },
  ],
  audience: null,
  editedBy: 'merchant-1',
  submittedBy: null,
  approvedBy: null,
  armError: null,
  ridSecret: '00'.repeat(32),
  createdAtMs: Date.UTC(2026, 10, 20),
  updatedAtMs: Date.UTC(2026, 10, 20),
  ...changes,
});
