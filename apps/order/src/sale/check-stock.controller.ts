import type { Answer, Ask, StockCheck } from '@floodgate/contracts';
import { Answers, Database } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { Warehouse } from '../warehouse/warehouse.js';
import { SaleStore } from './sale.store.js';

/** What promotion's checklist wants to know before a sale is armed. Reads only, each by itself: it is a look, no promise. */
@Controller()
export class CheckStockController {
  constructor(private readonly database: Database, private readonly sales: SaleStore, private readonly warehouse: Warehouse) {}

  @Answers('check-stock')
  async check({ saleId, skuIds }: Ask<'check-stock'>): Promise<Answer<'check-stock'>> {
    const [copy, inventory, codes] = await Promise.all([
      this.copyOf(saleId),
      this.warehouse.free(skuIds),
      this.codesOf(saleId),
    ]);
    // Last, so that no slow question before it makes the clock look late.
    const [clock] = await this.database.query<{ nowMs: number }>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs"');
    return { nowMs: clock!.nowMs, copy, inventory, codes };
  }

  private async copyOf(saleId: string): Promise<StockCheck['copy']> {
    const sale = await this.sales.read(this.database, saleId);
    if (!sale) return null;
    const items = await this.database.query<NonNullable<StockCheck['copy']>['items'][number]>(
      `SELECT item_id AS "itemId", i.per_account AS "perAccount", sum(l.allotment)::int AS allotment, sum(l.allotment - l.held - l.sold - l.burned)::int AS free
       FROM lane_item l JOIN sale_item i USING (sale_id, item_id) WHERE sale_id = $1 GROUP BY item_id, i.per_account`, [saleId]);
    return { perAccount: sale.perAccount, perIp: sale.perIp, items };
  }

  private async codesOf(saleId: string): Promise<StockCheck['codes']> {
    return this.database.query(
      `SELECT item_id AS "itemId", count(*)::int AS codes FROM code_pool JOIN code USING (pool_id) WHERE sale_id = $1 AND state <> 'BURNED' GROUP BY item_id`, [saleId]);
  }
}
