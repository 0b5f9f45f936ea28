import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers, Database } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { maySeeSale } from '../sale/may-see-sale.js';
import { SaleStore } from '../sale/sale.store.js';
import { ReportStore } from './report.store.js';

@Controller()
export class ReportController {
  constructor(private readonly database: Database, private readonly sales: SaleStore, private readonly reports: ReportStore) {}

  @Answers('get-sale-report')
  async report({ actor, saleId }: Ask<'get-sale-report'>): Promise<Answer<'get-sale-report'>> {
    const sale = await this.sales.read(this.database, saleId);
    if (!sale || !maySeeSale(actor, sale)) return refuse('NOT_FOUND', 'There is no such sale, or it was never approved.');
    return accept(await this.reports.read(saleId, sale.currency));
  }
}
