import { itemId } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import type { ClockReading, Facts } from './preflight.facts.js';
import { unbuiltFeatures } from './sale-features.js';
import { inputOf } from './sale-input.js';
import type { Sale, SaleItem } from './sale.entity.js';

export interface Check {
  check: string;
  /** `before`: whatever fails keeps the sale from being loaded. `loaded`: it is loaded, but not armed. */
  when: 'before' | 'loaded';
  /** What is wrong, or null; `fine` says what was looked at. */
  fault: (sale: Sale, facts: Facts, nowMs: number) => string | null;
  fine: (sale: Sale, facts: Facts, nowMs: number) => string;
}

/** Redis's clock opens the sale, Postgres's ends what is unpaid: further apart than this, and buyers meet two different times. */
export const skewMaxMs = 500;

/** The checklist before arming, one row per question that an operator would ask. Every failing row blocks; there is no override. */
export const checks: readonly Check[] = [
  {
    check: 'window',
    when: 'before',
    fault: (sale, _facts, nowMs) => (nowMs >= sale.closesAtMs ? `The window closed at ${isoTime(sale.closesAtMs)}.` : null),
    fine: (sale, _facts, nowMs) => (nowMs < sale.opensAtMs ? `Opens at ${isoTime(sale.opensAtMs)}.` : 'The opening has passed: sells as soon as it is armed.'),
  },
  {
    check: 'quotas',
    when: 'before',
    fault: (sale) => (unitsOf(sale) === 0 ? 'There is nothing to sell: every quota is 0.' : null),
    fine: (sale) => `${unitsOf(sale)} units of ${sale.items.length} items${noteOn(sale.items.filter((item) => item.quota === 0), 'without units')}.`,
  },
  {
    check: 'distinct-skus',
    when: 'before',
    fault: ({ items }) => named(repeated(items), 'offered twice'),
    fine: ({ items }) => `${items.length} different SKUs.`,
  },
  {
    check: 'prices',
    when: 'before',
    fault: ({ items }) => named(items.filter((item) => item.price.amount === 0), 'free of charge')
      ?? named(items.filter((item) => item.listPrice && item.listPrice.amount < item.price.amount), 'dearer than the list price'),
    fine: ({ items }) => `${minorUnits(items)}, none above its list price.`,
  },
  {
    check: 'limits',
    when: 'before',
    fault: (sale, { stock }) => limitFault(sale, stock),
    fine: ({ limits }) => `Per account ${limits.perAccount ?? 'without limit'}, per address ${limits.perIp ?? 'without limit'}; ${limits.attemptsPerMinute ?? 'any number of'} attempts a minute.`,
  },
  {
    check: 'features',
    when: 'before',
    fault: (sale) => unbuiltFeatures(inputOf(sale)).map(({ feature }) => `${feature} is not built yet`).join(', ') || null,
    fine: () => 'Asks for nothing that is not built.',
  },
  {
    check: 'codes',
    when: 'before',
    fault: (sale, { stock }) => (vouchersOf(sale).length === 0 ? null : stock ? named(withoutCodes(sale, stock), 'without a code') : silent('order')),
    // More can be imported while the sale runs, and whoever pays in vain is refunded: too few is worth a word, not worth a closed sale.
    fine: (sale, { stock }) => (vouchersOf(sale).length === 0 ? 'No vouchers.' : `Codes for every voucher${noteOn(stock ? shortOfCodes(sale, stock) : [], 'with fewer codes than units')}.`),
  },
  {
    check: 'audience',
    when: 'before',
    fault: (_sale, { audienceEmpty }) => (audienceEmpty ? 'Nobody may buy: the audience has no accounts and no codes.' : null),
    fine: ({ audience }) => (audience ? 'Somebody is in the audience, or can come by a code.' : 'For everybody.'),
  },
  {
    check: 'inventory',
    when: 'before',
    fault: (sale, { stock }) => (stock ? named(uncovered(sale, stock), 'with less real stock than units for sale') : silent('order')),
    fine: () => 'The real stock covers every quota, or is set to it when the sale is armed.',
  },
  {
    check: 'broker',
    when: 'before',
    fault: (_sale, { brokerFaults }) => (brokerFaults === null ? 'The broker does not answer.' : brokerFaults.slice(0, 3).join(' ') || null),
    fine: () => 'Every queue stands as declared.',
  },
  {
    check: 'redis',
    when: 'before',
    fault: (_sale, { redis }) => redisFault(redis),
    fine: () => 'Nothing is evicted, and every write is kept in the append-only file.',
  },
  {
    check: 'clocks',
    when: 'before',
    fault: (_sale, { clocks }) => {
      const apartMs = skewMs(clocks);
      if (apartMs === null) return 'The clocks cannot be compared: seckill does not answer.';
      return apartMs > skewMaxMs ? `The clocks of Redis and Postgres are ${Math.round(apartMs)} ms apart.` : null;
    },
    fine: (_sale, { clocks }) => `Redis and Postgres agree within ${skewMaxMs} ms${ownClockNote(clocks.redis)}.`,
  },
  {
    check: 'loaded-stock',
    when: 'loaded',
    fault: (sale, facts) => loadedFault(sale, facts),
    fine: (_sale, { lanes }) => (lanes?.length ? 'Redis has what Postgres allotted.' : 'Compared as soon as the sale is loaded.'),
  },
];

const silent = (service: string): string => `The ${service} service does not answer.`;
const unitsOf = (sale: Sale): number => sale.items.reduce((sum, item) => sum + item.quota, 0);
const idOf = (sale: Sale, item: SaleItem): string => itemId(sale.id, sale.items.indexOf(item) + 1);
const vouchersOf = (sale: Sale): SaleItem[] => sale.items.filter((item) => item.kind === 'voucher');

/** Before there is a copy, what the sale asks for is what will be copied; from then on the copy is what will be enforced. */
function limitFault(sale: Sale, stock: Facts['stock']): string | null {
  const copy = stock?.copy;
  if (!copy) return null;
  const { perAccount = null, perIp = null } = sale.limits;
  if (copy.perAccount !== perAccount || copy.perIp !== perIp) return 'The limits of the sale are not those that would be enforced.';
  const enforced = new Map(copy.items.map((item) => [item.itemId, item.perAccount]));
  return named(sale.items.filter((item) => enforced.get(idOf(sale, item)) !== item.perAccount), 'with another limit than would be enforced');
}

const withoutCodes = (sale: Sale, stock: NonNullable<Facts['stock']>): SaleItem[] => shortOfCodes(sale, stock, 1);

/** Vouchers for sale with fewer codes than units, or than `enough`. */
function shortOfCodes(sale: Sale, { codes }: NonNullable<Facts['stock']>, enough = Infinity): SaleItem[] {
  const imported = new Map(codes.map((row) => [row.itemId, row.codes]));
  return vouchersOf(sale).filter((item) => (imported.get(idOf(sale, item)) ?? 0) < Math.min(item.quota, enough));
}

/** What is sold or held already has taken its part of the inventory. */
function uncovered(sale: Sale, { inventory, copy }: NonNullable<Facts['stock']>): SaleItem[] {
  const free = new Map(inventory.map((row) => [row.skuId, row.free]));
  const forSale = new Map(copy?.items.map((item) => [item.itemId, item.free]));
  return sale.items.filter((item) => (free.get(item.skuId) ?? Infinity) < (forSale.get(idOf(sale, item)) ?? item.quota));
}

function redisFault(redis: Facts['redis']): string | null {
  if (!redis) return silent('seckill');
  const faults = [
    ...(redis.role === 'master' ? [] : [`it is a ${redis.role}`]),
    ...(redis.loading ? ['it is still loading its data'] : []),
    ...(redis.maxmemoryPolicy === 'noeviction' ? [] : [`maxmemory-policy is ${redis.maxmemoryPolicy}: an evicted reservation would be a lost one`]),
    ...(redis.aofEnabled ? [] : ['appendonly is off: a restart would forget every reservation']),
  ];
  return faults.length === 0 ? null : `Redis: ${faults.join(', ')}.`;
}

/**
 * How far the clocks are apart for sure: each was read somewhere between two moments, so a slow answer makes the reading vague, never wrong.
 */
function skewMs({ redis, postgres }: Facts['clocks']): number | null {
  if (!redis || !postgres) return null;
  const earliest = (one: ClockReading) => one.atMs - one.receivedMs;
  const latest = (one: ClockReading) => one.atMs - one.sentMs;
  return Math.max(0, earliest(redis) - latest(postgres), earliest(postgres) - latest(redis));
}

/** Nobody reads a service's own clock to decide an opening, so it only deserves a note. */
function ownClockNote(redis: ClockReading | null): string {
  if (!redis) return '';
  const nowMs = performance.now();
  const own = { atMs: Date.now(), sentMs: nowMs, receivedMs: nowMs };
  const apartMs = skewMs({ redis, postgres: own }) ?? 0;
  return apartMs > skewMaxMs ? `; this service's own clock is ${Math.round(apartMs)} ms off, which decides nothing` : '';
}

/** Right after the load Redis has what was allotted; once something is reserved, the audit is the place to look. */
function loadedFault(sale: Sale, { lanes, stock }: Facts): string | null {
  if (lanes === null) return silent('seckill');
  if (lanes.length === 0) return null;
  if (!stock?.copy) return silent('order');
  const reserved = lanes.some((lane) => lane.reservations > 0);
  const available = new Map<string, number>();
  for (const lane of lanes) for (const item of lane.stock) available.set(item.itemId, (available.get(item.itemId) ?? 0) + item.available);
  const allotted = new Map(stock.copy.items.map((item) => [item.itemId, item.allotment]));
  return named(sale.items.filter((item) => {
    const [loaded = 0, quota = 0] = [available.get(idOf(sale, item)), allotted.get(idOf(sale, item))];
    return reserved ? loaded > quota : loaded !== quota;
  }), 'of which Redis has not loaded what was allotted');
}

/** The first few by name: a list of thousands would hide what is wrong. */
function named(items: readonly SaleItem[], what: string): string | null {
  if (items.length === 0) return null;
  const shown = items.slice(0, 5).map((item) => item.skuId).join(', ');
  return `${items.length} ${items.length === 1 ? 'item' : 'items'} ${what}: ${shown}${items.length > 5 ? ', …' : ''}.`;
}

const noteOn = (items: readonly SaleItem[], what: string): string => (items.length === 0 ? '' : `, ${items.length} of them ${what}`);

function minorUnits(items: readonly SaleItem[]): string {
  const amounts = items.map((item) => item.price.amount);
  const [low, high] = [amounts.reduce((a, b) => Math.min(a, b)), amounts.reduce((a, b) => Math.max(a, b))];
  return `From ${low} to ${high} minor units of ${items[0]?.price.currency}`;
}

function repeated(items: readonly SaleItem[]): SaleItem[] {
  const seen = new Set<string>();
  return items.filter((item) => seen.size === seen.add(item.skuId).size);
}
