import type { Ask, CodePoolView } from '@floodgate/contracts';
import { Database } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { AdminActs } from '../audit-log/admin-acts.js';
import { CodeOwnerStore } from './code-owner.store.js';
import { CodePoolStore } from './code-pool.store.js';

/** What becomes of issued codes whose order is refunded, as the merchant says. */
@Injectable()
export class CodePolicy {
  constructor(
    private readonly database: Database, private readonly pools: CodePoolStore, private readonly owners: CodeOwnerStore, private readonly acts: AdminActs,
  ) {}

  set({ actor, saleId, itemId, onRefund }: Ask<'set-code-policy'>): Promise<CodePoolView> {
    return this.database.transaction(async (tx) => {
      const poolId = await this.pools.open(tx, saleId, itemId);
      const before = await this.pools.view(tx, saleId, itemId);
      await this.pools.setPolicy(tx, poolId, onRefund);
      await this.owners.record(tx, 'policy', { actor: actor.accountId, owner: itemId, reason: onRefund, codeIds: [] });
      await this.acts.note(tx, { accountId: actor.accountId, action: 'set-code-policy', subject: itemId, reason: null, before: { onRefund: before.onRefund }, after: { onRefund } });
      return this.pools.view(tx, saleId, itemId);
    });
  }
}
