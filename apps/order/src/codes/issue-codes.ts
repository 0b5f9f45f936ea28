import { createLogger, Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { OrderAnnouncer } from '../order/order.announcer.js';
import { OrderStore } from '../order/order.store.js';
import { CodeClaimStore, type CodeClaim } from './code-claim.store.js';
import type { Dispensed } from './code-dispenser.js';
import { CodeOwnerStore } from './code-owner.store.js';
import { CodePoolStore } from './code-pool.store.js';

/**
 * What became of each claim. `issued`: the order owns its codes and is FULFILLED. `short`: it is being refunded. `void`: it is not paid any
 * more. `owned`: Redis gave ids that another order owns, so it has forgotten; nothing was done. `behind`: Postgres has codes that Redis
 * does not know of. `later`: Redis did not come to this order.
 */
export type ClaimOutcome = 'issued' | 'short' | 'void' | 'owned' | 'behind' | 'later';

/** The records that issuing writes. */
@Injectable()
export class CodeStores {
  constructor(readonly pools: CodePoolStore, readonly claims: CodeClaimStore, readonly owners: CodeOwnerStore) {}
}

/** Commits who owns which code, with the order that it fulfils: before this nobody may see one. */
@Injectable()
export class IssueCodes {
  private readonly log = createLogger('codes');

  constructor(
    private readonly database: Database,
    private readonly orders: OrderStore,
    private readonly announcer: OrderAnnouncer,
    private readonly stores: CodeStores,
  ) {}

  /** One transaction for claims of one sale. Locks orders, then codes. */
  async commit(saleId: string, claims: readonly CodeClaim[], dispensed: Dispensed): Promise<Map<string, ClaimOutcome>> {
    const outcomes = await this.database.transaction(async (tx) => {
      const locked = await this.orders.lockAll(tx, saleId, claims.map(({ rid }) => rid));
      const paid = new Set(locked.filter(({ state }) => state === 'PAID').map(({ rid }) => rid));
      const found = new Map<string, ClaimOutcome>(claims.map(({ rid }) => [rid, paid.has(rid) ? 'later' : 'void']));
      const open = claims.filter(({ rid }) => paid.has(rid));
      for (const rid of await this.give(tx, open.filter(({ rid }) => dispensed.issued.has(rid)), dispensed, found)) found.set(rid, 'issued');
      for (const { rid, items } of open) {
        const itemId = dispensed.short.get(rid);
        const needed = items.find((item) => item.itemId === itemId)?.quantity;
        if (itemId === undefined || needed === undefined) continue;
        const free = await this.stores.pools.countFree(tx, saleId, itemId, needed);
        found.set(rid, free < needed ? 'short' : 'behind');
      }
      await this.write(tx, saleId, found);
      return found;
    });
    const short = [...outcomes.values()].filter((outcome) => outcome === 'short').length;
    if (short > 0) this.log.warn({ saleId, orders: short }, 'there are no codes for paid orders: they are refunded');
    return outcomes;
  }

  /** All codes of an order or none: what somebody else owns already sends back the rest. Returns the orders that have all. */
  private async give(tx: Transaction, claims: readonly CodeClaim[], { issued }: Dispensed, found: Map<string, ClaimOutcome>): Promise<string[]> {
    const idsOf = (rid: string) => (issued.get(rid) ?? []).flatMap(({ codeIds }) => codeIds);
    const wanted = claims.flatMap(({ rid }) => idsOf(rid).map((codeId) => ({ codeId, owner: rid })));
    const given = Map.groupBy(await this.stores.owners.give(tx, wanted), ({ owner }) => owner);
    const complete: string[] = [];
    for (const { rid } of claims) {
      const got = given.get(rid) ?? [];
      if (got.length === idsOf(rid).length) complete.push(rid);
      else {
        await this.stores.owners.free(tx, got.map(({ codeId }) => codeId));
        found.set(rid, 'owned');
      }
    }
    return complete;
  }

  private async write(tx: Transaction, saleId: string, found: ReadonlyMap<string, ClaimOutcome>): Promise<void> {
    const those = (outcome: ClaimOutcome) => [...found].filter(([, each]) => each === outcome).map(([rid]) => rid);
    const fulfilled = await this.orders.fulfil(tx, saleId, those('issued'));
    await this.announcer.sync(tx, fulfilled);
    await this.announcer.tell(tx, fulfilled);
    await this.announcer.sync(tx, await this.orders.startRefunding(tx, saleId, those('short'), 'out-of-inventory'));
    await this.stores.claims.end(tx, saleId, those('issued'), 'ISSUED');
    await this.stores.claims.end(tx, saleId, those('short'), 'SHORT');
    await this.stores.claims.end(tx, saleId, those('void'), 'VOID');
  }
}
