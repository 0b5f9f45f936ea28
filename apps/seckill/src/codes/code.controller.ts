import { accept, refuse, type Answer, type Ask, type Outcome } from '@floodgate/contracts';
import { Answers, createLogger, errorText, InfrastructureError } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { CodePoolStore } from './code-pool.store.js';

/** Dispenses redemption codes to paid orders, as ids. Only the order service asks, and it commits who owns them before anybody sees one. */
@Controller()
export class CodeController {
  private readonly log = createLogger('codes');

  constructor(private readonly pools: CodePoolStore) {}

  @Answers('issue-codes')
  issue({ saleId, orders }: Ask<'issue-codes'>): Promise<Answer<'issue-codes'>> {
    return this.unlessAway(() => this.pools.issue(saleId, orders));
  }

  @Answers('load-codes')
  load(ask: Ask<'load-codes'>): Promise<Answer<'load-codes'>> {
    return this.unlessAway(() => this.pools.load(ask));
  }

  @Answers('settle-codes')
  settle(ask: Ask<'settle-codes'>): Promise<Answer<'settle-codes'>> {
    return this.unlessAway(() => this.pools.settle(ask));
  }

  private async unlessAway<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    try {
      return accept(await work());
    } catch (error) {
      if (!(error instanceof InfrastructureError)) throw error;
      this.log.debug(errorText(error));
      return refuse('UNAVAILABLE', 'Redis cannot be asked for codes now');
    }
  }
}
