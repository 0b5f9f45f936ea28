import type { ItemQuantity } from '@floodgate/contracts';
import type { Fault } from '../openapi/fault-messages.js';

/** No item twice: which of two quantities was meant, nobody can tell. */
export function itemsOnce(body: { items?: unknown } | null): Fault[] {
  if (!Array.isArray(body?.items)) return [];
  const seen = new Set<unknown>();
  return body.items.flatMap((item: Partial<ItemQuantity> | null, index) => {
    const itemId = item?.itemId;
    if (itemId === undefined || !seen.has(itemId)) {
      seen.add(itemId);
      return [];
    }
    return [{ path: `/items/${index}/itemId`, message: 'stands twice' }];
  });
}
