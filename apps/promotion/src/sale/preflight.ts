import { saleStateAt, type PreflightView } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import { unbuiltFeatures } from './sale-features.js';
import { inputOf } from './sale-input.js';
import { armLeadMs } from './arm-time.js';
import type { Sale, SaleItem } from './sale.entity.js';

interface Check {
  check: string;
  /** What is wrong, or null; `fine` says what was looked at. */
  fault: (sale: Sale, nowMs: number) => string | null;
  fine: (sale: Sale, nowMs: number) => string;
}

/**
 * The checklist before arming, one row per question that an operator would ask. It advises: whatever must never be sold is
 * refused when the sale is made, changed or approved.
 */
export const checks: readonly Check[] = [
  {
    check: 'window',
    fault: (sale, nowMs) => (nowMs >= sale.closesAtMs ? `The window closed at ${isoTime(sale.closesAtMs)}.` : null),
    fine: (sale, nowMs) => (nowMs < sale.opensAtMs ? `Opens at ${isoTime(sale.opensAtMs)}.` : 'The opening has passed: sells as soon as it is armed.'),
  },
  {
    check: 'quotas',
    fault: ({ items }) => named(items.filter((item) => item.quota === 0), 'without units, sold out from the start'),
    fine: (sale) => `${unitsOf(sale)} units of ${sale.items.length} items.`,
  },
  {
    check: 'distinct-skus',
    fault: ({ items }) => named(repeated(items), 'offered twice'),
    fine: ({ items }) => `${items.length} different SKUs.`,
  },
  {
    check: 'prices',
    fault: ({ items }) => named(items.filter((item) => item.price.amount === 0), 'free of charge')
      ?? named(items.filter((item) => item.listPrice && item.listPrice.amount < item.price.amount), 'dearer than the list price'),
    fine: ({ items }) => `${minorUnits(items)}, none above its list price.`,
  },
  {
    check: 'limits',
    fault: (sale) => limitFault(sale),
    fine: ({ limits }) => `Per account ${limits.perAccount ?? 'without limit'}, per address ${limits.perIp ?? 'without limit'}.`,
  },
  {
    check: 'features',
    fault: (sale) => unbuiltFeatures(inputOf(sale)).map(({ feature }) => `${feature} is not built yet`).join(', ') || null,
    fine: () => 'Asks for nothing that is not built.',
  },
  {
    check: 'arming',
    fault: ({ armError }) => armError,
    fine: (sale, nowMs) => armingNote(sale, nowMs),
  },
];

/** The checklist of one sale at one time of the platform's clock. */
export function preflight(sale: Sale, nowMs: number): PreflightView {
  const rows = checks.map(({ check, fault, fine }) => {
    const found = fault(sale, nowMs);
    return { check, ok: found === null, detail: found ?? fine(sale, nowMs) };
  });
  return { ok: rows.every((row) => row.ok), rows };
}

function limitFault(sale: Sale): string | null {
  const perAccount = sale.limits.perAccount ?? null;
  const units = unitsOf(sale);
  if (perAccount !== null && perAccount > units) return `A limit of ${perAccount} per account limits nothing: there are ${units} units.`;
  return named(sale.items.filter((item) => perAccount !== null && item.perAccount !== null && item.perAccount > perAccount),
    `with a limit above the sale's limit of ${perAccount}`);
}

function armingNote(sale: Sale, nowMs: number): string {
  const state = saleStateAt(sale, nowMs);
  if (state === 'ARMED' || state === 'OPEN' || state === 'PAUSED') return 'Armed.';
  const armsAtMs = sale.opensAtMs - armLeadMs;
  return armsAtMs > nowMs ? `Will be armed at ${isoTime(armsAtMs)}, once approved.` : 'Will be armed at once when approved.';
}

/** The first few by name: a list of thousands would hide what is wrong. */
function named(items: readonly SaleItem[], what: string): string | null {
  if (items.length === 0) return null;
  const shown = items.slice(0, 5).map((item) => item.skuId).join(', ');
  return `${items.length} ${items.length === 1 ? 'item' : 'items'} ${what}: ${shown}${items.length > 5 ? ', …' : ''}.`;
}

function minorUnits(items: readonly SaleItem[]): string {
  const amounts = items.map((item) => item.price.amount);
  const [low, high] = [amounts.reduce((a, b) => Math.min(a, b)), amounts.reduce((a, b) => Math.max(a, b))];
  return `From ${low} to ${high} minor units of ${items[0]?.price.currency}`;
}

function repeated(items: readonly SaleItem[]): SaleItem[] {
  const seen = new Set<string>();
  return items.filter((item) => seen.size === seen.add(item.skuId).size);
}

const unitsOf = (sale: Sale): number => sale.items.reduce((sum, item) => sum + item.quota, 0);
