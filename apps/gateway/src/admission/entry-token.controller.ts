import { Controller } from '@nestjs/common';
import { refuse } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import { BoardKeeper } from '../board/board-keeper.js';
import { closedBecause } from '../board/sale-window.js';
import { Sales } from '../board/sales.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { isRefusal } from '../problem/services.js';
import { EntryTokens, entryTokenLifeMs } from './entry-token.js';

@Controller()
export class EntryTokenController {
  constructor(private readonly sales: Sales, private readonly keeper: BoardKeeper, private readonly entryTokens: EntryTokens) {}

  /** A sale that asks for a challenge would have its solution checked here. */
  @Operation('createEntryToken')
  async createEntryToken({ path, actor }: Call): Promise<Answer> {
    const document = await this.sales.catalogue.find(path['saleId'] ?? '');
    if (isRefusal(document)) return document;
    if (!this.sales.board.trustedLanes(document) && document.state !== 'APPROVED') await this.keeper.refreshSale(document.saleId);
    const nowMs = this.sales.clock.nowMs();
    if (nowMs === null) return refuse('UNAVAILABLE', 'The platform is starting.');
    const refusal = closedBecause(document, this.sales.board.trustedLanes(document) ?? [], nowMs);
    if (refusal) return refusal;
    const expiresMs = Math.min(nowMs + entryTokenLifeMs, document.closesAtMs);
    return { ok: true, value: { token: this.entryTokens.issue({ saleId: document.saleId, accountId: actor.accountId, notBeforeMs: document.opensAtMs, expiresMs }), expiresAt: isoTime(expiresMs) } };
  }
}
