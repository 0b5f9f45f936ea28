import { z } from 'zod';
import type { Outcome } from './errors.js';
import { idSchema, itemQuantitySchema } from './messages.js';
import type * as View from './views.js';

const answers = <T>() => z.custom<T>((value) => value !== undefined);
const actor = z.object({ accountId: idSchema, roles: z.array(z.string()) });
const saleId = idSchema;
const itemId = idSchema;
const rid = idSchema;
const codeIds = z.array(z.int().min(1));

/** A redemption code as people and partners write it: 1 to 200 printable characters, no spaces around it. */
export const codeSchema = z.string().min(1).max(200).regex(/^[^\p{C}\p{Z}](?:[^\p{C}\p{Zl}\p{Zp}]*[^\p{C}\p{Z}])?$/u);
/** Codes of one chunk of an import. */
export const importChunkMax = 1_000;

/** Requests about redemption codes. Codes in clear travel in `import-codes`, and in answers to who may see them; nowhere else. */
export const codeRequests = {
  // order. The same chunk sent again gets the same answer, so that an answer that was lost does not spoil the counts.
  'import-codes': { to: 'order.requests', ask: z.object({ importId: z.uuid(), chunk: z.int().min(0), actor, saleId, itemId, codes: z.array(codeSchema).min(1).max(importChunkMax) }), answer: answers<{ added: number; duplicates: number }>() },
  'get-code-pool': { to: 'order.requests', ask: z.object({ saleId, itemId }), answer: answers<View.CodePoolView>() },
  'set-code-policy': { to: 'order.requests', ask: z.object({ actor, saleId, itemId, onRefund: z.enum(['burn', 'return']) }), answer: answers<View.CodePoolView>() },
  'reissue-codes': { to: 'order.requests', ask: z.object({ actor, rid, key: z.string(), codes: z.array(codeSchema).min(1).max(100), reason: z.string().min(1).max(500) }), answer: answers<Outcome<{ replayed: boolean; reissued: View.ReissueView }>>() },
  'redeem-codes': { to: 'order.requests', ask: z.object({ actor, rid, codes: z.array(codeSchema).min(1).max(100) }), answer: answers<Outcome<View.RedemptionView>>() },
  /**
   * seckill: ids of free codes for paid orders, all that an order wants or none. Asking again gives the same ids. `short`: the pool in Redis has
   * too few of `itemId`; `pool` says how far it was loaded, for `load-codes`.
   */
  'issue-codes': {
    to: 'seckill.requests',
    ask: z.object({ saleId, orders: z.array(z.object({ rid, items: z.array(itemQuantitySchema).min(1) })).min(1).max(256) }),
    answer: answers<Outcome<DispensedCodes[]>>(),
  },
  /** seckill: free ids after `after`, up to and with `upTo`. `stale`: the pool is not where the caller believes; ask it again. `anew` empties the pool first. */
  'load-codes': {
    to: 'seckill.requests',
    ask: z.object({ saleId, itemId, mode: z.enum(['append', 'anew']), load: z.string().max(64), after: z.int().min(0), upTo: z.int().min(0), codeIds: codeIds.max(5_000) }),
    answer: answers<Outcome<'loaded' | 'stale'>>(),
  },
  /** seckill: what became of dispensed ids. `forget`: Postgres has spoken. `return`: nobody took them, they are free again. */
  'settle-codes': {
    to: 'seckill.requests',
    ask: z.object({ saleId, orders: z.array(z.object({ rid, what: z.enum(['forget', 'return']), itemIds: z.array(itemId) })).min(1).max(256) }),
    answer: answers<Outcome<'settled'>>(),
  },
} as const;

/** How far an item's pool in Redis was loaded: a token of the load, and the highest id. */
export interface PoolCursor {
  load: string;
  upTo: number;
}

export type DispensedCodes =
  | { rid: string; word: 'issued'; items: { itemId: string; codeIds: number[] }[] }
  | { rid: string; word: 'short'; itemId: string; pool: PoolCursor };
