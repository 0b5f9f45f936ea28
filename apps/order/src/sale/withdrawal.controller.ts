import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers, Database } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { maySeeSale } from './may-see-sale.js';
import { SaleStore } from './sale.store.js';
import { WithdrawalStore } from './withdrawal.store.js';

@Controller()
export class WithdrawalController {
  constructor(private readonly database: Database, private readonly sales: SaleStore, private readonly withdrawals: WithdrawalStore) {}

  @Answers('get-withdrawal')
  async progress({ actor, saleId }: Ask<'get-withdrawal'>): Promise<Answer<'get-withdrawal'>> {
    const sale = await this.sales.read(this.database, saleId);
    if (!sale || !maySeeSale(actor, sale)) return refuse('NOT_FOUND', 'There is no such sale, or it was never approved.');
    if (sale.state !== 'WITHDRAWN') return refuse('INVALID_TRANSITION', 'This sale is not withdrawn.', { state: sale.state });
    return accept(await this.withdrawals.progress(saleId));
  }
}
