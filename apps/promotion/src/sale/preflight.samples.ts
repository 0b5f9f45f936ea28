import { soundFacts } from '../support/sound-facts.js';
import type { Facts } from './preflight.facts.js';
import { draftSale } from './sale.samples.js';
import type { Sale } from './sale.entity.js';

/** One way in which a sale or what stands behind it is wrong. `sale` in terms of what is stored; `facts` of a sound sale otherwise. */
export interface Fault {
  sale?: Partial<Sale>;
  facts?: (sale: Sale) => Partial<Facts>;
}

const [first, second] = draftSale().items as [Sale['items'][number], Sale['items'][number]];
const stock = (sale: Sale) => soundFacts(sale).stock!;
const redis = (changes: object) => (sale: Sale) => ({ redis: { ...soundFacts(sale).redis!, ...changes } });

/** For every check of the table what makes it, and only it, fail. */
export const faults: Record<string, Fault[]> = {
  'window': [{ sale: { opensAtMs: 1, closesAtMs: 2 } }],
  'quotas': [{ sale: { items: [{ ...first, quota: 0 }, { ...second, quota: 0 }] } }],
  'distinct-skus': [{ sale: { items: [first, first] } }],
  'prices': [{ sale: { items: [{ ...first, price: { amount: 0, currency: 'GBP' } }] } }, { sale: { items: [{ ...first, listPrice: { amount: 1, currency: 'GBP' } }] } }],
  'limits': [
    { facts: (sale) => ({ stock: { ...stock(sale), copy: { ...stock(sale).copy!, perAccount: 9 } } }) },
    { facts: (sale) => ({ stock: { ...stock(sale), copy: { ...stock(sale).copy!, items: stock(sale).copy!.items.map((item) => ({ ...item, perAccount: 9 })) } } }) },
  ],
  'features': [{ sale: { mode: 'lottery' as 'race' } }],
  'codes': [
    { sale: { items: [{ ...first, kind: 'voucher' }] }, facts: (sale) => ({ stock: { ...stock(sale), codes: [] } }) },
  ],
  'audience': [{ facts: () => ({ audienceEmpty: true }) }],
  'inventory': [{ facts: (sale) => ({ stock: { ...stock(sale), inventory: [{ skuId: sale.items[0]!.skuId, free: 499 }] } }) }],
  'broker': [{ facts: () => ({ brokerFaults: ['PRECONDITION_FAILED: place-order is a classic queue'] }) }, { facts: () => ({ brokerFaults: null }) }],
  'redis': [{ facts: redis({ maxmemoryPolicy: 'allkeys-lru' }) }, { facts: redis({ aofEnabled: false }) }, { facts: redis({ role: 'slave' }) }, { facts: redis({ loading: true }) }, { facts: () => ({ redis: null }) }],
  'clocks': [
    { facts: (sale) => ({ clocks: { ...soundFacts(sale).clocks, postgres: { sentMs: 0, receivedMs: 10, atMs: Date.now() + 60_000 } } }) },
    { facts: (sale) => ({ clocks: { ...soundFacts(sale).clocks, redis: null } }) },
  ],
  'loaded-stock': [
    { facts: (sale) => ({ lanes: [{ ...soundFacts(sale).lanes![0]!, stock: [{ itemId: `${sale.id}-1`, available: 499, unsettled: 0 }, { itemId: `${sale.id}-2`, available: 20, unsettled: 0 }] }] }) },
    { facts: () => ({ lanes: null }) },
  ],
};
