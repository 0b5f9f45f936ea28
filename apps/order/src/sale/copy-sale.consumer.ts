import type { SaleDocument } from '@floodgate/contracts';
import { Consume, Database, errorText, InfrastructureError, type DeliveryOf, type Transaction } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { InventoryStore, unitsMax } from '../inventory/inventory.store.js';
import type { LedgerEntry } from '../ledger/entries.js';
import { lockStock } from '../ledger/lane-stock.js';
import { LedgerStore } from '../ledger/ledger.store.js';
import { ArmingMessages } from './arming.messages.js';
import { SaleMissingError, SaleStore } from './sale.store.js';

/** Copies approved sales, stocks their lanes, and has them loaded into Redis; later states of a sale follow by version. */
@Controller()
export class CopySaleConsumer {
  constructor(
    private readonly database: Database, private readonly sales: SaleStore, private readonly ledger: LedgerStore,
    private readonly inventory: InventoryStore, private readonly messages: ArmingMessages,
  ) {}

  @Consume('order.copy-sale')
  async copy([message]: DeliveryOf<'order.copy-sale'>[]): Promise<void> {
    if (message!.name === 'sale.approved') return this.approved(message!.body);
    const { saleId, version, state, beforeArming } = message!.body;
    // Its document will carry the state of that time: there is no copy to change, nor will there be one if it is withdrawn.
    if (beforeArming) return;
    const change = await this.database.transaction((tx) => this.sales.change(tx, saleId, version, state));
    if (change === 'missing') throw new SaleMissingError(saleId); // it has overtaken the document
  }

  private async approved(sale: SaleDocument): Promise<void> {
    try {
      await this.database.transaction((tx) => this.stock(tx, sale));
    } catch (error) {
      if (!(error instanceof InfrastructureError)) await this.messages.armFailed(sale.saleId, errorText(error));
      throw error;
    }
  }

  private async stock(tx: Transaction, sale: SaleDocument): Promise<void> {
    const lanes = Array.from({ length: sale.lanes }, (_, lane) => lane);
    if (!(await this.sales.copy(tx, sale))) return this.repeat(tx, sale.saleId, lanes);
    const stock = await lockStock(tx, sale.saleId, new Map(lanes.map((lane) => [lane, sale.items.map((item) => item.itemId)])));
    const entries = lanes.flatMap((lane) => sale.items.map((item): LedgerEntry => (
      { lane, operationId: `arm:${lane}`, itemId: item.itemId, entry: 'STOCK_IN', quantity: allotmentOf(item.quota, lane, sale.lanes) })));
    const { readAtMs } = (await this.sales.read(tx, sale.saleId))!;
    await this.ledger.record(tx, stock, entries.filter((entry) => entry.quantity > 0), readAtMs);
    const units = new Map<string, number>();
    for (const item of sale.items) units.set(item.skuId, Math.min(unitsMax, (units.get(item.skuId) ?? 0) + item.quota));
    await this.inventory.promised(tx, units);
    await this.messages.load(tx, 'arm', lanes.map((lane) => ({ saleId: sale.saleId, lane })));
  }

  /** Promotion asks again while it has not heard of the arming: whatever was lost on the way is said once more. */
  private async repeat(tx: Transaction, saleId: string, lanes: readonly number[]): Promise<void> {
    const copy = await this.sales.read(tx, saleId);
    if (copy?.armed) await this.messages.armed(tx, saleId);
    else await this.messages.load(tx, 'arm', lanes.map((lane) => ({ saleId, lane })));
  }
}

/** The quota in equal shares; what does not divide goes to the first lanes. */
export const allotmentOf = (quota: number, lane: number, lanes: number): number => Math.floor(quota / lanes) + (lane < quota % lanes ? 1 : 0);
