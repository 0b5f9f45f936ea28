import { Injectable } from '@nestjs/common';
import type { Purchase, PurchaseWork } from '../place-order/purchase.js';
import { CodeClaimStore } from './code-claim.store.js';
import { CodeOwnerStore } from './code-owner.store.js';
import { VoucherItems } from './voucher-items.js';

/**
 * The saga's side of codes. A paid order's claim is written with the payment, so it cannot be lost; Redis and the pool are asked
 * afterwards, by the issuer, because the lane is locked here.
 */
@Injectable()
export class ClaimCodes {
  constructor(private readonly claims: CodeClaimStore, private readonly owners: CodeOwnerStore, private readonly vouchers: VoucherItems) {}

  async claim(work: PurchaseWork, purchases: readonly Purchase[]): Promise<void> {
    const vouchers = await this.vouchers.ofSale(work.sale.saleId, work.tx);
    if (vouchers.size === 0) return;
    const claims = purchases.map(({ order }) => ({ rid: order.rid, items: order.items.filter(({ itemId }) => vouchers.has(itemId)) }));
    await this.claims.add(work.tx, work.sale.saleId, claims.filter(({ items }) => items.length > 0));
  }

  /** Refunded orders lose their codes. They were shown, so they are burned, unless the item's policy returns them to the pool. */
  async giveBack(work: PurchaseWork, purchases: readonly Purchase[]): Promise<void> {
    if (purchases.length === 0 || (await this.vouchers.ofSale(work.sale.saleId, work.tx)).size === 0) return;
    const refunded = await this.owners.refund(work.tx, purchases.map(({ order }) => order.rid));
    for (const [owner, codes] of Map.groupBy(refunded, (code) => code.owner)) {
      const event = codes[0]!.now === 'FREE' ? 'returned' : 'burned';
      await this.owners.record(work.tx, event, { actor: 'system', owner, reason: 'refunded', codeIds: codes.map(({ codeId }) => codeId) });
    }
  }
}
