import { Controller } from '@nestjs/common';
import { refuse } from '@floodgate/contracts';
import { RefusalReport } from '../audit-log/refusal-report.js';
import { SaleCatalogue } from '../board/sale-catalogue.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services, isRefusal } from '../problem/services.js';
import { Audiences } from './audiences.js';

@Controller()
export class AudienceController {
  constructor(
    private readonly services: Services,
    private readonly catalogue: SaleCatalogue,
    private readonly audiences: Audiences,
    private readonly report: RefusalReport,
  ) {}

  /** Lets the holder of a code into a sale that is not for everybody. Guessing counts as abuse. */
  @Operation('joinAudience')
  async joinAudience({ actor: { accountId }, path, body }: Call<{ code: string }>): Promise<Answer> {
    const document = await this.catalogue.find(path['saleId'] ?? '');
    if (isRefusal(document)) return document;
    if (!document.audience?.byCode) return refuse('NOT_ELIGIBLE', 'No code lets anybody into this sale.');
    const joined = await this.services.ask('join-audience', { saleId: document.saleId, accountId, code: body.code });
    if (joined.ok) await this.audiences.settle(document, accountId);
    else if (joined.code === 'NOT_ELIGIBLE') this.report.noteAbuse(document.saleId, accountId);
    return joined;
  }
}
