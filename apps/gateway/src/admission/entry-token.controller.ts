import { Controller } from '@nestjs/common';
import { refuse } from '@floodgate/contracts';
import { isoTime } from '@floodgate/platform';
import { BoardKeeper } from '../board/board-keeper.js';
import { closedBecause } from '../board/sale-window.js';
import { Sales } from '../board/sales.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { isRefusal } from '../problem/services.js';
import { ChallengeDoor } from './challenge-door.js';
import { EntryTokens, entryTokenLifeMs } from './entry-token.js';

@Controller()
export class EntryTokenController {
  constructor(
    private readonly sales: Sales,
    private readonly keeper: BoardKeeper,
    private readonly entryTokens: EntryTokens,
    private readonly door: ChallengeDoor,
  ) {}

  /** Everybody wants one in the same second, so it is made of what this gateway knows; only a sale with challenges asks seckill, in company. */
  @Operation('createEntryToken')
  async createEntryToken({ path, actor, body }: Call<{ solution?: unknown } | undefined>): Promise<Answer> {
    const saleId = path['saleId'] ?? '';
    const document = this.sales.catalogue.get(saleId) ?? await this.sales.catalogue.find(saleId);
    if (isRefusal(document)) return document;
    if (!this.sales.board.trustedLanes(document) && document.state !== 'APPROVED') await this.keeper.refreshSale(saleId);
    const nowMs = this.sales.clock.nowMs();
    if (nowMs === null) return refuse('UNAVAILABLE', 'The platform is starting.');
    const refusal = closedBecause(document, this.sales.board.trustedLanes(document) ?? [], nowMs)
      ?? (document.challenge === 'none' ? null : await this.door.refusal(body?.solution, saleId, actor.accountId, nowMs));
    if (refusal) return refusal;
    const expiresMs = Math.min(nowMs + entryTokenLifeMs, document.closesAtMs);
    const token = this.entryTokens.issue({ saleId, accountId: actor.accountId, notBeforeMs: document.opensAtMs, expiresMs });
    return { ok: true, value: { token, expiresAt: isoTime(expiresMs) } };
  }
}
