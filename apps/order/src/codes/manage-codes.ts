import { createHash } from 'node:crypto';
import { accept, refuse, type Ask, type Outcome, type Refusal, type View } from '@floodgate/contracts';
import { Database, isoTime, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { AdminActs } from '../audit-log/admin-acts.js';
import { IdempotencyKeyStore, type KeyScope } from '../idempotency/idempotency-key.store.js';
import type { OrderRow } from '../order/order.row.js';
import { OrderStore } from '../order/order.store.js';
import { publicState } from '../order/order.transitions.js';
import { SaleStore } from '../sale/sale.store.js';
import { CodeReader } from './code-reader.js';
import { CodeOwnerStore, type OwnedCode } from './code-owner.store.js';

/** Rolls the transaction back and becomes the answer: a refusal after something was written. */
class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.detail);
  }
}

/** What it takes to look at an order's codes. */
@Injectable()
export class OrderCodes {
  constructor(readonly owners: CodeOwnerStore, readonly reader: CodeReader, readonly sales: SaleStore) {}
}

/**
 * What people do to the codes of one order. The order's row is locked first, so that they come one after the other: of an order's codes
 * redeemed at the same time none fails because of the others, and no half of a request is carried out.
 */
@Injectable()
export class ManageCodes {
  constructor(
    private readonly database: Database,
    private readonly orders: OrderStore,
    private readonly keys: IdempotencyKeyStore,
    private readonly codes: OrderCodes,
    private readonly acts: AdminActs,
  ) {}

  /** All of the codes given are redeemed, or none: NOT_FOUND where one is not the order's, INVALID_TRANSITION where one is not good any more. */
  async redeem({ actor, rid, codes }: Ask<'redeem-codes'>): Promise<Outcome<View.RedemptionView>> {
    return this.withOrder(rid, async (tx, order) => {
      const sale = await this.codes.sales.read(tx, order.saleId);
      if (sale?.merchantId !== actor.accountId) return notFound();
      const found = await this.pick(tx, order, codes);
      if ('ok' in found) return found;
      await this.codes.owners.redeem(tx, found.picked.map(({ codeId }) => codeId));
      await this.codes.owners.record(tx, 'redeemed', { actor: actor.accountId, owner: rid, codeIds: found.picked.map(({ codeId }) => codeId) });
      await this.acts.note(tx, { accountId: actor.accountId, action: 'redeem-codes', subject: rid, reason: null, before: null, after: { redeemed: found.picked.length } });
      const left = found.owned.filter(({ state }) => state === 'ISSUED').length - found.picked.length;
      return accept({ orderId: rid, redeemed: found.picked.length, left, redeemedAt: isoTime(sale.readAtMs) });
    });
  }

  /** Burns the codes given and gives the order as many others, all or none; INSUFFICIENT_STOCK where the pool has too few. */
  async reissue({ actor, rid, key, codes, reason }: Ask<'reissue-codes'>): Promise<Outcome<{ replayed: boolean; reissued: View.ReissueView }>> {
    const scope: KeyScope = { accountId: actor.accountId, route: 'reissue-codes', subject: rid, key };
    // Of the codes only a digest is kept: what was bound to the key must not show them.
    const fingerprint = createHash('sha256').update(JSON.stringify([codes.toSorted(), reason])).digest('base64url');
    return this.withOrder(rid, async (tx, order) => {
      const [bound] = await this.keys.findAll(tx, [scope]);
      if (bound && bound.fingerprint !== fingerprint) return refuse('IDEMPOTENCY_KEY_REUSED', 'This key was used with another body.');
      const replaced = bound ? (bound.body as { replaced: number }).replaced : await this.replace(tx, order, { actor: actor.accountId, codes, reason });
      if (typeof replaced !== 'number') return replaced;
      if (!bound) await this.keys.bind(tx, scope, { fingerprint, status: 200, body: { replaced } });
      return accept({ replayed: Boolean(bound), reissued: { orderId: rid, replaced, codes: await this.codes.reader.codesOf(rid, tx) } });
    });
  }

  private async replace(tx: Transaction, order: OrderRow, { actor, codes, reason }: { actor: string; codes: readonly string[]; reason: string }): Promise<number | Refusal> {
    const found = await this.pick(tx, order, codes);
    if ('ok' in found) return found;
    const taken: number[] = [];
    for (const [poolId, old] of Map.groupBy(found.picked, (code) => code.poolId)) {
      const fresh = await this.codes.owners.takeFree(tx, poolId, old.length, order.rid);
      if (fresh === 'short') throw new Refused(refuse('INSUFFICIENT_STOCK', 'There are not enough free codes.'));
      taken.push(...fresh);
    }
    const old = found.picked.map(({ codeId }) => codeId);
    await this.codes.owners.burn(tx, old);
    await this.codes.owners.record(tx, 'reissued', { actor, owner: order.rid, reason, codeIds: [...old, ...taken] });
    await this.acts.note(tx, { accountId: actor, action: 'reissue-codes', subject: order.rid, reason, before: null, after: { replaced: old.length } });
    return old.length;
  }

  /** The order's codes that read so, each good; a code given twice counts once. */
  private async pick(tx: Transaction, order: OrderRow, codes: readonly string[]): Promise<{ picked: OwnedCode[]; owned: OwnedCode[] } | Refusal> {
    if (order.state !== 'FULFILLED') return refuse('INVALID_TRANSITION', 'The order has no codes that can be used.', { state: publicState(order.state, order.payBy) });
    const owned = await this.codes.owners.ofOwners(tx, [order.rid], true);
    const picked = codes.map((code) => this.codes.reader.match(owned, code));
    if (picked.includes(undefined)) return refuse('NOT_FOUND', 'One of these codes does not belong to this order.');
    const known = [...new Set(picked as OwnedCode[])];
    const spent = known.find(({ state }) => state !== 'ISSUED');
    return spent ? refuse('INVALID_TRANSITION', 'One of these codes was used already, or is not good any more.', { state: spent.state }) : { picked: known, owned };
  }

  private async withOrder<T>(rid: string, work: (tx: Transaction, order: OrderRow) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    try {
      return await this.database.transaction(async (tx) => {
        const order = await this.orders.lock(tx, rid);
        return order ? work(tx, order) : notFound();
      });
    } catch (error) {
      if (error instanceof Refused) return error.refusal;
      throw error;
    }
  }
}

const notFound = (): Refusal => refuse('NOT_FOUND', 'There is no such order.');
