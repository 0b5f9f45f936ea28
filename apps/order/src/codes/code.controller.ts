import type { Answer, Ask } from '@floodgate/contracts';
import { Answers, Database } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { CodePolicy } from './code-policy.js';
import { CodePoolStore } from './code-pool.store.js';
import { ImportCodes } from './import-codes.js';
import { ManageCodes } from './manage-codes.js';

/** What the gateway asks about codes. Whose sale it is was checked there, against promotion: a draft is not known here yet. */
@Controller()
export class CodeController {
  constructor(
    private readonly imports: ImportCodes, private readonly manage: ManageCodes, private readonly pools: CodePoolStore,
    private readonly policy: CodePolicy, private readonly database: Database,
  ) {}

  @Answers('import-codes')
  importCodes(ask: Ask<'import-codes'>): Promise<Answer<'import-codes'>> {
    return this.imports.take(ask);
  }

  @Answers('get-code-pool')
  getPool({ saleId, itemId }: Ask<'get-code-pool'>): Promise<Answer<'get-code-pool'>> {
    return this.pools.view(this.database, saleId, itemId);
  }

  @Answers('set-code-policy')
  setPolicy(ask: Ask<'set-code-policy'>): Promise<Answer<'set-code-policy'>> {
    return this.policy.set(ask);
  }

  @Answers('redeem-codes')
  redeem(ask: Ask<'redeem-codes'>): Promise<Answer<'redeem-codes'>> {
    return this.manage.redeem(ask);
  }

  @Answers('reissue-codes')
  reissue(ask: Ask<'reissue-codes'>): Promise<Answer<'reissue-codes'>> {
    return this.manage.reissue(ask);
  }
}
