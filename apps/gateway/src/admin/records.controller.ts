import { Controller } from '@nestjs/common';
import { pageQuery } from '../openapi/page-query.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';

/** What became of a sale, from the order service's records, and the real stock behind all sales. */
@Controller()
export class RecordsController {
  constructor(private readonly services: Services) {}

  @Operation('auditSale')
  auditSale({ path }: Call): Promise<Answer> {
    return this.services.ask('audit-sale', { saleId: path['id'] ?? '' });
  }

  @Operation('getReconciliation')
  getReconciliation({ path }: Call): Promise<Answer> {
    return this.services.ask('reconcile-sale', { saleId: path['id'] ?? '', fix: null });
  }

  @Operation('reconcileSale')
  reconcileSale({ actor, path, body }: Call<{ reason: string }>): Promise<Answer> {
    return this.services.ask('reconcile-sale', { saleId: path['id'] ?? '', fix: { actor, reason: body.reason } });
  }

  @Operation('exportSale')
  exportSale({ path, query }: Call): Promise<Answer> {
    return this.services.ask('export-sale', { saleId: path['id'] ?? '', cursor: (query['cursor'] as string | undefined) ?? null });
  }

  @Operation('getSaleReport')
  getSaleReport({ actor, path }: Call): Promise<Answer> {
    return this.services.ask('get-sale-report', { actor, saleId: path['id'] ?? '' });
  }

  @Operation('listSaleOrders')
  listSaleOrders({ actor, path, query }: Call): Promise<Answer> {
    return this.services.ask('list-sale-orders', { actor, saleId: path['id'] ?? '', ...pageQuery(query) });
  }

  @Operation('getWithdrawal')
  getWithdrawal({ actor, path }: Call): Promise<Answer> {
    return this.services.ask('get-withdrawal', { actor, saleId: path['id'] ?? '' });
  }

  @Operation('listSagas')
  listSagas({ query }: Call): Promise<Answer> {
    return this.services.ask('list-stuck-sagas', pageQuery(query));
  }

  @Operation('getInventory')
  getInventory({ path }: Call): Promise<Answer> {
    return this.services.ask('get-inventory', { skuId: path['skuId'] ?? '' });
  }

  @Operation('setInventory')
  setInventory({ actor, path, body }: Call<{ units: number }>): Promise<Answer> {
    return this.services.ask('set-inventory', { actor, skuId: path['skuId'] ?? '', units: body.units });
  }
}
