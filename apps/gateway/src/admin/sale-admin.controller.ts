import { Controller } from '@nestjs/common';
import type { SaleAction, SaleView } from '@floodgate/contracts';
import { PlatformClock } from '../board/platform-clock.js';
import { SaleCatalogue } from '../board/sale-catalogue.js';
import { pageQuery } from '../openapi/page-query.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';
import { oneCurrency } from './one-currency.js';

/** Sales as merchants and staff handle them. Who may do what to which sale is promotion's to say; the role was checked already. */
@Controller()
export class SaleAdminController {
  constructor(private readonly services: Services, private readonly clock: PlatformClock, private readonly catalogue: SaleCatalogue) {}

  @Operation('createSale', { rule: oneCurrency })
  createSale({ actor, body }: Call): Promise<Answer> {
    return this.services.ask('create-sale', { actor, input: body });
  }

  @Operation('listAdminSales')
  listAdminSales({ actor, query }: Call): Promise<Answer> {
    return this.services.ask('list-sales', { actor, nowMs: this.nowMs(), ...pageQuery(query) });
  }

  @Operation('getAdminSale')
  getAdminSale({ actor, path }: Call): Promise<Answer> {
    return this.services.ask('get-sale', { actor, saleId: path['id'] ?? '', nowMs: this.nowMs() });
  }

  @Operation('updateSale', { rule: oneCurrency })
  updateSale({ actor, path, body }: Call): Promise<Answer> {
    return this.services.ask('update-sale', { actor, saleId: path['id'] ?? '', patch: body, nowMs: this.nowMs() });
  }

  @Operation('submitSale')
  submitSale(call: Call): Promise<Answer> {
    return this.move('submit', call);
  }

  /** Who approves and then looks here finds the sale: the catalogue has it before the answer leaves. */
  @Operation('approveSale')
  async approveSale(call: Call): Promise<Answer> {
    const approved = await this.move('approve', call);
    if (approved.ok) await this.catalogue.refresh();
    return approved;
  }

  @Operation('rejectSale')
  rejectSale(call: Call<{ reason: string }>): Promise<Answer> {
    return this.move('reject', call, call.body.reason);
  }

  @Operation('pauseSale')
  pauseSale(call: Call): Promise<Answer> {
    return this.move('pause', call);
  }

  @Operation('resumeSale')
  resumeSale(call: Call): Promise<Answer> {
    return this.move('resume', call);
  }

  @Operation('closeSale')
  closeSale(call: Call): Promise<Answer> {
    return this.move('close', call);
  }

  @Operation('withdrawSale')
  withdrawSale(call: Call): Promise<Answer> {
    return this.move('withdraw', call);
  }

  @Operation('getPreflight')
  getPreflight({ actor, path }: Call): Promise<Answer> {
    return this.services.ask('preflight-sale', { actor, saleId: path['id'] ?? '', nowMs: this.nowMs() });
  }

  private move(action: SaleAction, { actor, path }: Call<any>, reason: string | null = null): Promise<Answer<SaleView>> {
    return this.services.ask('move-sale', { actor, saleId: path['id'] ?? '', action, reason, nowMs: this.nowMs() });
  }

  private nowMs(): number {
    return this.clock.nowOrLocalMs();
  }
}
