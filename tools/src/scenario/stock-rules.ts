import type { WantedProduct } from './demand.js';
import type { Scenario } from './scenario-file.js';

/** An item to be offered. `weight` is how often the data's customers ask for it. `price` in minor units. */
export interface OfferedItem {
  sku: string;
  title: string;
  price: number;
  quota: number;
  perAccount: number;
  weight: number;
}

type Rule<Name> = Extract<Scenario['stock'], { rule: Name }>;

/** The items of the sale, with quota and limit, as the scenario's rule says. */
export function offerItems(rule: Scenario['stock'], products: readonly WantedProduct[]): OfferedItem[] {
  switch (rule.rule) {
    case 'share-of-demand': return products.map((product) => shareOfDemand(rule, product));
    case 'spread-units': return spreadUnits(rule, products);
    case 'most-wanted': return mostWanted(rule, products);
  }
}

function shareOfDemand(rule: Rule<'share-of-demand'>, product: WantedProduct): OfferedItem {
  // The largest line must fit: a quota that nobody's order fits into would test nothing but the refusal.
  const quota = Math.min(product.demand, Math.max(product.largestLine, Math.ceil(roundOff(rule.share * product.demand))));
  const perAccount = Math.min(product.largestCustomer, rule.perAccountMax);
  return { sku: product.sku, title: product.title, price: product.price, quota, perAccount, weight: product.demand };
}

function spreadUnits(rule: Rule<'spread-units'>, products: readonly WantedProduct[]): OfferedItem[] {
  const byDemand = products.toSorted((a, b) => b.demand - a.demand || (a.sku < b.sku ? -1 : 1));
  if (rule.units < rule.items) throw new Error('every item needs a unit');
  const items = Array.from({ length: rule.items }, (_, index) => {
    const product = byDemand[index % byDemand.length]!;
    const variant = Math.floor(index / byDemand.length);
    const sku = variant === 0 ? product.sku : `${product.sku}-v${variant + 1}`;
    const title = variant === 0 ? product.title : `${product.title} (variant ${variant + 1})`;
    return { sku, title, price: product.price, quota: 1, perAccount: rule.perAccount, weight: product.demand / (variant + 1) };
  });
  distribute(rule.units - rule.items, items, rule.popularityPower);
  return items;
}

function mostWanted(rule: Rule<'most-wanted'>, products: readonly WantedProduct[]): OfferedItem[] {
  return products.toSorted((a, b) => b.demand - a.demand || (a.sku < b.sku ? -1 : 1)).slice(0, rule.items)
    .map((product) => ({ sku: product.sku, title: product.title, price: product.price, quota: rule.unitsEach, perAccount: rule.perAccount, weight: product.demand }));
}

/** Adds `units` to the quotas in proportion to weight^power, to the last unit (largest remainders). */
function distribute(units: number, items: OfferedItem[], power: number): void {
  const pulls = items.map((item) => item.weight ** power);
  const sum = pulls.reduce((all, pull) => all + pull, 0);
  const shares = pulls.map((pull, index) => ({ index, exact: units * pull / sum }));
  for (const share of shares) items[share.index]!.quota += Math.floor(share.exact);
  const left = units - shares.reduce((all, share) => all + Math.floor(share.exact), 0);
  const byRemainder = shares.toSorted((a, b) => (b.exact % 1) - (a.exact % 1) || a.index - b.index);
  for (const share of byRemainder.slice(0, left)) items[share.index]!.quota += 1;
}

/** 0.6 × 5 is 3 and not 3.0000000000000004, whose ceiling is 4. */
const roundOff = (value: number): number => Math.round(value * 1e6) / 1e6;
