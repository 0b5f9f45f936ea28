import type { ItemQuantity } from '@floodgate/contracts';

/** Units that an account may hold or have paid; absent: no limit. */
export interface Limits {
  perSale: number | null;
  perItem(itemId: string): number | null;
}

export interface Wanted {
  accountId: string;
  items: readonly ItemQuantity[];
}

/** What is known when the decision begins. The functions answer for the moment before the first attempt. */
export interface Given {
  /** Free units of an item; throws for an item that is not for sale. */
  free(itemId: string): number;
  limits: Limits;
  /** Units that the account has in use of an item, or ('' as item) of the whole sale. */
  used(accountId: string, itemId: string): number;
}

/**
 * Decides in the order given, all items of an attempt or none: true where it gets its units. What one attempt takes, the next one lacks.
 * An attempt that is refused takes nothing, so a smaller one behind it may still fit.
 */
export function decide(attempts: readonly Wanted[], given: Given): boolean[] {
  const taken = new Map<string, number>();
  const grown = new Map<string, number>();
  return attempts.map(({ accountId, items }) => {
    const total = items.reduce((sum, item) => sum + item.quantity, 0);
    const within = (limit: number | null, itemId: string, units: number) =>
      limit === null || given.used(accountId, itemId) + (grown.get(`${accountId}/${itemId}`) ?? 0) + units <= limit;
    const fits = items
      .map((item) => given.free(item.itemId) - (taken.get(item.itemId) ?? 0) >= item.quantity
        && within(given.limits.perItem(item.itemId), item.itemId, item.quantity))
      .every(Boolean);
    if (!fits || !within(given.limits.perSale, '', total)) return false;
    for (const item of items) {
      taken.set(item.itemId, (taken.get(item.itemId) ?? 0) + item.quantity);
      add(grown, `${accountId}/${item.itemId}`, item.quantity);
    }
    add(grown, `${accountId}/`, total);
    return true;
  });
}

function add(map: Map<string, number>, key: string, units: number): void {
  map.set(key, (map.get(key) ?? 0) + units);
}
