import { Database, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import type { Needs } from '../inventory/inventory.store.js';
import { WarehouseBlockStore } from './warehouse-block.store.js';
import { Warehouse } from './warehouse.js';

/**
 * An outside system has the units, and is asked for them in blocks ahead of need: what a sale promises is asked for when the sale is
 * approved, ten minutes before it opens. Orders take from the blocks, so no transaction ever waits for the outside.
 */
@Injectable()
export class HttpWarehouse extends Warehouse {
  /** SKUs that somebody had to wait for since the last time all was ready. */
  private readonly awaited = new Set<string>();

  constructor(private readonly database: Database, private readonly blocks: WarehouseBlockStore) {
    super();
  }

  async promised(tx: Transaction, units: Needs): Promise<void> {
    for (const [skuId, count] of [...units].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await tx.query('INSERT INTO inventory (sku_id, units) VALUES ($1, 0) ON CONFLICT (sku_id) DO NOTHING', [skuId]);
      if (count > 0) await this.blocks.add(tx, 'take', skuId, count);
    }
  }

  async changed(tx: Transaction, skuId: string, delta: number): Promise<void> {
    if (delta > 0) await this.blocks.add(tx, 'take', skuId, delta);
    else await this.blocks.giveBackSpare(tx, skuId);
  }

  async undecided(tx: Transaction, skus: readonly string[]): Promise<string[]> {
    const taking = await this.blocks.taking(tx, skus);
    for (const skuId of taking) this.awaited.add(skuId);
    return taking;
  }

  /** What a sale needs is asked for when it is approved; nobody knows before. */
  async free(): Promise<{ skuId: string; free: number }[]> {
    return [];
  }

  async ready(): Promise<boolean> {
    if (this.awaited.size === 0) return true;
    if ((await this.blocks.taking(this.database, [...this.awaited])).length > 0) return false;
    this.awaited.clear();
    return true;
  }
}
