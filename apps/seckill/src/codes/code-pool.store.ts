import type { Ask, DispensedCodes, ItemQuantity, PoolCursor } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import { scripts } from './scripts.js';

/**
 * The free codes of a sale's items, as ids that mean nothing without Postgres. All keys of a sale lie in one slot, so that an order with
 * several items gets its codes in one call. An id takes some 8 bytes, and a pool holds a page or two: the rest waits in Postgres.
 */
@Injectable()
export class CodePoolStore {
  constructor(private readonly redis: Redis) {}

  /** Ids for every order, in the order asked; all of an order or none. @throws InfrastructureError; asking again gives the same ids */
  async issue(saleId: string, orders: readonly { rid: string; items: readonly ItemQuantity[] }[]): Promise<DispensedCodes[]> {
    const itemIds = [...new Set(orders.flatMap(({ items }) => items.map((item) => item.itemId)))];
    const position = new Map(itemIds.map((itemId, index) => [itemId, index + 1]));
    const args: (string | number)[] = [itemIds.length, ...itemIds];
    for (const { rid, items } of orders) args.push(rid, items.map(({ itemId, quantity }) => `${position.get(itemId)}:${quantity}`).join(','));
    const keys = keysOf(saleId);
    const answers = await scripts.issueCodes.run<string[]>(this.redis, [keys.given, keys.cursors, ...itemIds.map(keys.free)], args);
    return answers.map((answer, index) => readAnswer(orders[index]!.rid, answer));
  }

  /** One page of free ids. @throws InfrastructureError; a page that was added after all is `stale` when it comes again */
  load({ saleId, itemId, mode, load, after, upTo, codeIds }: Ask<'load-codes'>): Promise<'loaded' | 'stale'> {
    const keys = keysOf(saleId);
    return scripts.loadCodes.run(this.redis, [keys.cursors, keys.free(itemId)], [itemId, mode, load, after, upTo, ...codeIds]);
  }

  /** @throws InfrastructureError */
  settle({ saleId, orders }: Ask<'settle-codes'>): Promise<'settled'> {
    const itemIds = [...new Set(orders.flatMap((order) => order.itemIds))];
    const keys = keysOf(saleId);
    return scripts.settleCodes.run(this.redis, [keys.given, ...itemIds.map(keys.free)], [itemIds.length, ...itemIds, ...orders.flatMap(({ rid, what }) => [rid, what])]);
  }
}

/** `given`: rid → what was dispensed to it and Postgres has not spoken of. `cursors`: item → load|upTo. `free`: ids, oldest first. */
function keysOf(saleId: string): { given: string; cursors: string; free: (itemId: string) => string } {
  const tag = `{${saleId}:codes}`;
  return { given: `${tag}:given`, cursors: `${tag}:cursors`, free: (itemId) => `${tag}:free:${itemId}` };
}

function readAnswer(rid: string, answer: string): DispensedCodes {
  const [word, ...rest] = answer.split('|') as ['issued' | 'short', ...string[]];
  if (word === 'short') return { rid, word, itemId: rest[0] ?? '', pool: readCursor(rest[1] ?? '', rest[2]) };
  return {
    rid, word,
    items: (rest[0] ?? '').split(',').map((part) => {
      const at = part.lastIndexOf(':');
      return { itemId: part.slice(0, at), codeIds: part.slice(at + 1).split('.').map(Number) };
    }),
  };
}

const readCursor = (load: string, upTo: string | undefined): PoolCursor => ({ load, upTo: Number(upTo ?? '0') });
