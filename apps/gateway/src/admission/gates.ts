import { Injectable } from '@nestjs/common';
import { refuse, type Gate, type Refusal, type SaleDocument } from '@floodgate/contracts';
import { RefusalReport } from '../audit-log/refusal-report.js';
import { BlockList } from '../block-list/block-list.js';
import { PlatformClock } from '../board/platform-clock.js';
import { EntryTokens, type EntryTokenWord } from './entry-token.js';

/** An early one is genuine, so it may reach a replay like one that is too late. */
const gateOf: Record<EntryTokenWord, Gate> = { valid: 'clear', early: 'entry-token-expired', expired: 'entry-token-expired', forged: 'entry-token-forged' };

/**
 * Why an attempt will be turned away unless it is a replay. The gateway only finds the reason; seckill judges it, after replay and the sale's
 * state, so that a winner who is blocked afterwards still gets the answer that was lost.
 */
@Injectable()
export class Gates {
  constructor(
    private readonly entryTokens: EntryTokens,
    private readonly blockList: BlockList,
    private readonly clock: PlatformClock,
    private readonly report: RefusalReport,
  ) {}

  /** A gateway that has not read the block list yet lets nobody in. */
  refusalWhileStarting(): Refusal | null {
    return this.blockList.version === null ? refuse('UNAVAILABLE', 'The platform is starting.') : null;
  }

  /** In the order of the contract. */
  judge({ saleId }: SaleDocument, accountId: string, entryToken: string): Gate {
    const nowMs = this.clock.nowOrLocalMs();
    const gate = gateOf[this.entryTokens.check(entryToken, saleId, accountId, nowMs)];
    if (gate !== 'clear') return gate;
    return this.blockList.isBlocked(accountId, nowMs) ? 'buyer-blocked' : 'clear';
  }

  /** An attempt was turned away at this gate. */
  refused({ saleId }: SaleDocument, accountId: string, gate: Gate): void {
    if (gate === 'entry-token-forged') this.report.noteAbuse(saleId, accountId);
  }
}
