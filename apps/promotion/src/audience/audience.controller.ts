import { Controller } from '@nestjs/common';
import type { Answer, Ask } from '@floodgate/contracts';
import { Answers } from '@floodgate/platform';
import { AudienceMembers } from './audience.members.js';
import { AudienceStore } from './audience.store.js';

/** Who may buy in sales that are not for everybody: what merchants hand in, who comes by a code, and what gateways follow. */
@Controller()
export class AudienceController {
  constructor(private readonly audience: AudienceStore, private readonly members: AudienceMembers) {}

  @Answers('add-audience')
  addAccounts({ actor, saleId, accounts }: Ask<'add-audience'>): Promise<Answer<'add-audience'>> {
    return this.audience.addAccounts(actor, saleId, accounts);
  }

  @Answers('add-audience-codes')
  addCodes({ actor, saleId, codes }: Ask<'add-audience-codes'>): Promise<Answer<'add-audience-codes'>> {
    return this.audience.addCodes(actor, saleId, codes);
  }

  @Answers('join-audience')
  join({ saleId, accountId, code }: Ask<'join-audience'>): Promise<Answer<'join-audience'>> {
    return this.audience.join(saleId, accountId, code);
  }

  @Answers('list-audience')
  list({ saleId, after }: Ask<'list-audience'>): Promise<Answer<'list-audience'>> {
    return this.members.page(saleId, after);
  }

  @Answers('list-guests')
  guests({ saleId, after }: Ask<'list-guests'>): Promise<Answer<'list-guests'>> {
    return this.audience.guests(saleId, after);
  }
}
