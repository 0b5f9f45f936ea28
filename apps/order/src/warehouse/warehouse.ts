import type { Transaction } from '@floodgate/platform';
import type { Needs } from '../inventory/inventory.store.js';

/**
 * Where the real units behind the sales come from: the edge between what we promise and what somebody has on a shelf. Nothing here
 * waits for anybody: it runs inside the transactions that promise units, and locks inventory rows alone. What the source has given is
 * in `inventory`, and orders take from there.
 */
export abstract class Warehouse {
  /** A sale was approved that promises these units of each SKU. */
  abstract promised(tx: Transaction, units: Needs): Promise<void>;

  /** An operator has changed what the sales promise of one SKU; the lanes' allotments are moved already. */
  abstract changed(tx: Transaction, skuId: string, delta: number): Promise<void>;

  /** Of these SKUs, those of which the source has not said yet how many more it gives: who is short of them waits. */
  abstract undecided(tx: Transaction, skus: readonly string[]): Promise<string[]>;

  /** Units of these SKUs that no order has taken, of those where it is known before anybody asks: the checklist before arming looks at it. */
  abstract free(skus: readonly string[]): Promise<{ skuId: string; free: number }[]>;

  /** Whether those who had to wait may try again. */
  abstract ready(): Promise<boolean>;
}
