import type { ReleaseReason } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import type { LedgerEntry } from '../ledger/entries.js';
import { freeUnits } from '../ledger/lane-stock.js';
import { LedgerStore } from '../ledger/ledger.store.js';
import type { Failure } from '../saga/saga.js';
import { AccountUsageStore } from './account-usage.store.js';
import { decide } from './decide.js';
import { isBurned, limitsOf, type Purchase, type PurchaseWork } from './purchase.js';

/** The units of the sale: held for an order, sold, or given back; each move is a ledger entry. */
@Injectable()
export class HoldStock {
  constructor(private readonly ledger: LedgerStore, private readonly usage: AccountUsageStore) {}

  /**
   * The judgement. Redis has promised these units already, and is usually right; here is decided whether it is true.
   * All purchases of one call are of one lane. Returns those that get nothing.
   */
  async hold(work: PurchaseWork, purchases: readonly Purchase[]): Promise<Failure<Purchase, ReleaseReason>[]> {
    if (purchases.length === 0) return [];
    if (work.sale.state === 'WITHDRAWN') return purchases.map((subject) => ({ subject, reason: 'sale-withdrawn' }));
    const { lane } = purchases[0]!.order;
    const limits = limitsOf(work, lane);
    const orders = purchases.map((purchase) => purchase.order);
    const used = await this.usage.read(work.tx, work.sale.saleId, limits, orders);
    const granted = decide(orders, { free: (itemId) => freeUnits(work.stock.get(lane, itemId)), limits, used });
    const winners = purchases.filter((_, index) => granted[index]);
    await this.record(work, winners, (entry) => ({ ...entry, entry: 'HOLD' }));
    await this.usage.move(work.tx, work.sale.saleId, limits, winners.map((purchase) => purchase.order), 1);
    for (const purchase of winners) purchase.holdsStock = 'held';
    return purchases.flatMap((subject, index) => (granted[index] ? [] : [{ subject, reason: 'order-rejected' as const }]));
  }

  /** Held units become sold ones. */
  async sell(work: PurchaseWork, purchases: readonly Purchase[]): Promise<void> {
    await this.record(work, purchases, (entry) => ({ ...entry, entry: 'SELL' }));
    for (const purchase of purchases) purchase.holdsStock = 'sold';
  }

  /**
   * Gives back what the purchases hold or (after a refund) had bought; those that hold nothing are passed over. Units that were bought and
   * could not be handed over do not exist: they are burned, or somebody would buy and pay them in vain again.
   */
  async release(work: PurchaseWork, purchases: readonly Purchase[], reason: ReleaseReason): Promise<void> {
    const burned = purchases.filter((purchase) => isBurned(purchase, reason));
    await this.record(work, burned, (entry) => ({ ...entry, entry: 'BURN', soldBefore: true }));
    for (const purchase of burned) purchase.holdsStock = 'no';
    const holding = purchases.filter((purchase) => purchase.holdsStock !== 'no');
    await this.record(work, holding, (entry, purchase) => ({ ...entry, entry: 'RELEASE', soldBefore: purchase.holdsStock === 'sold' }));
    for (const lane of new Set(holding.map((purchase) => purchase.order.lane))) {
      const orders = holding.filter((purchase) => purchase.order.lane === lane).map((purchase) => purchase.order);
      await this.usage.move(work.tx, work.sale.saleId, limitsOf(work, lane), orders, -1);
    }
    for (const purchase of holding) purchase.holdsStock = 'no';
  }

  private async record(
    work: PurchaseWork, purchases: readonly Purchase[], kind: (entry: Omit<LedgerEntry, 'entry'>, purchase: Purchase) => LedgerEntry,
  ): Promise<void> {
    const entries = purchases.flatMap((purchase) => purchase.order.items.map((item) =>
      kind({ lane: purchase.order.lane, operationId: purchase.order.rid, itemId: item.itemId, quantity: item.quantity }, purchase)));
    await this.ledger.record(work.tx, work.stock, entries, work.nowMs);
  }
}
