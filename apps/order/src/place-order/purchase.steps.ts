import { Injectable } from '@nestjs/common';
import { ClaimCodes } from '../codes/claim-codes.js';
import { CreateOrder } from './create-order.js';
import { HoldStock } from './hold-stock.js';
import { PaymentCloser } from './payment-closer.js';
import { TakeInventory } from './take-inventory.js';
import type { Purchase, PurchaseWork } from './purchase.js';

/** Everything that the table in purchase.saga.ts names. */
@Injectable()
export class PurchaseSteps {
  constructor(
    readonly stock: HoldStock, readonly inventory: TakeInventory, readonly rows: CreateOrder, readonly payments: PaymentCloser,
    readonly codes: ClaimCodes,
  ) {}

  /** The row and the units turn together. */
  async markPaid(work: PurchaseWork, purchases: readonly Purchase[]): Promise<void> {
    await this.rows.pay(work, purchases);
    await this.stock.sell(work, purchases);
  }
}
