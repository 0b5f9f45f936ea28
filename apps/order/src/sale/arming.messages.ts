import { Outbox, Publisher, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { SaleStore } from './sale.store.js';

/** What the order service says while sales are armed and rebuilt. */
@Injectable()
export class ArmingMessages {
  constructor(private readonly sales: SaleStore, private readonly outbox: Outbox, private readonly publisher: Publisher) {}

  /** Has these lanes put into Redis at their epochs of now. One message: after a rebuild, all lanes open together. */
  async load(tx: Transaction, reason: 'arm' | 'rebuild', lanes: readonly { saleId: string; lane: number }[]): Promise<void> {
    const loads = await this.sales.laneLoads(tx, lanes);
    await this.outbox.add(tx, 'load-lanes', [{ reason, lanes: loads }]);
  }

  async armed(tx: Transaction, saleId: string): Promise<void> {
    await this.outbox.add(tx, 'sale.armed', [{ saleId }]);
  }

  /** Outside of any transaction: the one that would carry it has just failed. */
  async armFailed(saleId: string, error: string): Promise<void> {
    await this.publisher.publish('sale.arm-failed', { saleId, error });
  }
}
