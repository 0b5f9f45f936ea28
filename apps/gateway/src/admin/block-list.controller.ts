import { Controller } from '@nestjs/common';
import type { BlockView } from '@floodgate/contracts';
import { BlockListKeeper } from '../block-list/block-list.keeper.js';
import { Operation, type Answer, type Call } from '../openapi/operation.decorator.js';
import { Services } from '../problem/services.js';

/** Accounts that may not buy. */
@Controller()
export class BlockListController {
  constructor(private readonly services: Services, private readonly keeper: BlockListKeeper) {}

  @Operation('getBlockedAccount')
  getBlockedAccount({ path }: Call): Promise<Answer<BlockView>> {
    return this.services.ask('get-block', { accountId: path['accountId'] ?? '' });
  }

  /** Who blocks and then looks here finds it done: this gateway has caught up before the answer leaves. */
  @Operation('blockAccount')
  async blockAccount({ actor, path, body }: Call<{ reason?: string; until?: string | null } | undefined>): Promise<Answer<BlockView>> {
    const untilMs = body?.until ? Date.parse(body.until) : null;
    const blocked = await this.services.ask('set-block', { actor, accountId: path['accountId'] ?? '', reason: body?.reason ?? null, untilMs });
    if (blocked.ok) await this.keeper.catchUp();
    return blocked;
  }

  @Operation('unblockAccount')
  async unblockAccount({ actor, path }: Call): Promise<Answer> {
    const lifted = await this.services.ask('lift-block', { actor, accountId: path['accountId'] ?? '' });
    if (!lifted.ok) return lifted;
    await this.keeper.catchUp();
    return { ok: true, value: undefined };
  }
}
