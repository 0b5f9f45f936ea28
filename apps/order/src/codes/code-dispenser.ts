import { randomBytes } from 'node:crypto';
import type { DispensedCodes, ItemQuantity, PoolCursor } from '@floodgate/contracts';
import { InfrastructureError, RequestClient } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { CodeClaim } from './code-claim.store.js';
import { CodePoolStore } from './code-pool.store.js';

/** Ids per page: some 40 kB of message and a script of a millisecond or two. The pool in Redis never holds much more. */
const pageSize = 5_000;
const togetherMax = 256;
/** Every round brings at least one page to an item that is short, or somebody else did; more than this is for the next try. */
const roundsMax = 50;

/** What Redis has for each order: the ids, or the item of which not even Postgres had more when it was asked. */
export interface Dispensed {
  issued: Map<string, { itemId: string; codeIds: number[] }[]>;
  short: Map<string, string>;
}

/** Asks seckill for ids, and fills its pools from Postgres as they run dry. */
@Injectable()
export class CodeDispenser {
  constructor(private readonly client: RequestClient, private readonly pools: CodePoolStore) {}

  /** @throws InfrastructureError, RequestError where Redis or seckill is away: asking again gives the same ids */
  async take(saleId: string, claims: readonly CodeClaim[]): Promise<Dispensed> {
    const result: Dispensed = { issued: new Map(), short: new Map() };
    let open = claims.map(({ rid, items }) => ({ rid, items }));
    for (let round = 0; open.length > 0 && round < roundsMax; round++) {
      const answers = await this.ask(saleId, open);
      const dry = new Map<string, PoolCursor>();
      for (const answer of answers) {
        if (answer.word === 'issued') result.issued.set(answer.rid, answer.items);
        else dry.set(answer.itemId, answer.pool);
      }
      const filled = new Set<string>();
      for (const [itemId, cursor] of dry) if (await this.fill(saleId, itemId, cursor)) filled.add(itemId);
      for (const answer of answers) if (answer.word === 'short' && !filled.has(answer.itemId)) result.short.set(answer.rid, answer.itemId);
      open = open.filter(({ rid }) => !result.issued.has(rid) && !result.short.has(rid));
    }
    return result;
  }

  /** Empties the pool of an item and starts it again from what Postgres says is free. */
  async refill(saleId: string, itemId: string): Promise<void> {
    const codeIds = await this.pools.freePage(saleId, itemId, 0, pageSize);
    value(await this.client.ask('load-codes', { saleId, itemId, mode: 'anew', load: randomBytes(9).toString('base64url'), after: 0, upTo: codeIds.at(-1) ?? 0, codeIds }));
  }

  async settle(saleId: string, orders: readonly { rid: string; what: 'forget' | 'return'; items: readonly ItemQuantity[] }[]): Promise<void> {
    for (let at = 0; at < orders.length; at += togetherMax) {
      const some = orders.slice(at, at + togetherMax).map(({ rid, what, items }) => ({ rid, what, itemIds: items.map(({ itemId }) => itemId) }));
      value(await this.client.ask('settle-codes', { saleId, orders: some }));
    }
  }

  private async ask(saleId: string, orders: readonly { rid: string; items: ItemQuantity[] }[]): Promise<DispensedCodes[]> {
    const answers: DispensedCodes[] = [];
    for (let at = 0; at < orders.length; at += togetherMax) {
      answers.push(...value(await this.client.ask('issue-codes', { saleId, orders: orders.slice(at, at + togetherMax) })));
    }
    return answers;
  }

  /** False: Postgres has no free code beyond what the pool was loaded with. */
  private async fill(saleId: string, itemId: string, { load, upTo }: PoolCursor): Promise<boolean> {
    const codeIds = await this.pools.freePage(saleId, itemId, upTo, pageSize);
    if (codeIds.length === 0) return false;
    value(await this.client.ask('load-codes', { saleId, itemId, mode: 'append', load, after: upTo, upTo: codeIds.at(-1)!, codeIds }));
    return true;
  }
}

function value<T>(outcome: { ok: true; value: T } | { ok: false; detail: string }): T {
  if (!outcome.ok) throw new InfrastructureError(outcome.detail);
  return outcome.value;
}
