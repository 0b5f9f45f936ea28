import { Controller } from '@nestjs/common';
import { pageQuery } from '../openapi/page-query.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';

/** Payment providers' books beside ours, for the auditor. */
@Controller()
export class SettlementController {
  constructor(private readonly services: Services) {}

  @Operation('compareSettlement')
  compareSettlement({ path, query }: Call): Promise<Answer> {
    return this.services.ask('compare-settlement', { provider: path['provider'] ?? '', day: (query['day'] as string | undefined) ?? null });
  }

  @Operation('getSettlement')
  getSettlement({ path, query }: Call): Promise<Answer> {
    return this.services.ask('get-settlement', { provider: path['provider'] ?? '', id: path['id'] ?? '', ...pageQuery(query) });
  }
}
