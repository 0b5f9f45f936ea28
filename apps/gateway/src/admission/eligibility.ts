import { Injectable } from '@nestjs/common';
import { refuse, type Refusal, type SaleDocument } from '@floodgate/contracts';
import { Audiences } from '../audience/audiences.js';
import { BlockList } from '../block-list/block-list.js';
import { PlatformClock } from '../board/platform-clock.js';

/** Whether an account may buy in a sale at all: the block list, and the audience of a sale that is not for everybody. */
@Injectable()
export class Eligibility {
  constructor(private readonly blockList: BlockList, private readonly audiences: Audiences, private readonly clock: PlatformClock) {}

  /** Why nobody can be judged yet, or null: a gateway that has not read the block list, or the sale's audience, lets nobody in. */
  ready(document: SaleDocument, accountId: string): Refusal | null | Promise<Refusal | null> {
    if (this.blockList.version === null) return refuse('UNAVAILABLE', 'The platform is starting.');
    return document.audience ? this.audiences.settle(document, accountId) : null;
  }

  /** In the order of the contract. */
  judge(document: SaleDocument, accountId: string): 'clear' | 'buyer-blocked' | 'not-eligible' {
    if (this.blockList.isBlocked(accountId, this.clock.nowOrLocalMs())) return 'buyer-blocked';
    return this.audiences.has(document, accountId) ? 'clear' : 'not-eligible';
  }
}
