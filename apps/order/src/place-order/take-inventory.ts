import type { ReleaseReason } from '@floodgate/contracts';
import { Injectable } from '@nestjs/common';
import { InventoryStore } from '../inventory/inventory.store.js';
import type { Failure } from '../saga/saga.js';
import { isBurned, skuNeeds, type Purchase, type PurchaseWork } from './purchase.js';

/** The real stock behind the units: a sale may have promised more than the warehouse has. */
@Injectable()
export class TakeInventory {
  constructor(private readonly inventory: InventoryStore) {}

  /** Returns the purchases that the warehouse is short for. */
  async take(work: PurchaseWork, purchases: readonly Purchase[]): Promise<Failure<Purchase, ReleaseReason>[]> {
    const short = await this.inventory.take(work.tx, purchases.map((purchase) => skuNeeds(work, purchase.order)));
    purchases.forEach((purchase, index) => (purchase.tookInventory = !short.has(index)));
    return purchases.filter((_, index) => short.has(index)).map((subject) => ({ subject, reason: 'out-of-inventory' }));
  }

  /** Burned units stay taken: they were not there. */
  async putBack(work: PurchaseWork, purchases: readonly Purchase[], reason: ReleaseReason): Promise<void> {
    const took = purchases.filter((purchase) => purchase.tookInventory && !isBurned(purchase, reason));
    await this.inventory.putBack(work.tx, took.map((purchase) => skuNeeds(work, purchase.order)));
    for (const purchase of took) purchase.tookInventory = false;
  }

  /** Takes the locks of a later putBack now: they come before the orders' locks. */
  async lock(work: Pick<PurchaseWork, 'tx' | 'stock'>, orders: readonly Purchase['order'][]): Promise<void> {
    await this.inventory.lock(work.tx, orders.map((order) => skuNeeds(work, order)));
  }
}
