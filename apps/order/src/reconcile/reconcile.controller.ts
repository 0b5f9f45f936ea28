import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers, QueueInspector } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { AuditSale } from './audit-sale.js';
import { ReconcileSale } from './reconcile-sale.js';
import { SyncRowStore } from './sync-row.store.js';

/** What Postgres says, for whoever holds another record against it: the rebuild of a lane, and the auditor. */
@Controller()
export class ReconcileController {
  constructor(
    private readonly auditSale: AuditSale, private readonly reconcileSale: ReconcileSale, private readonly rows: SyncRowStore, private readonly queues: QueueInspector,
  ) {}

  @Answers('audit-sale')
  async audit({ saleId }: Ask<'audit-sale'>): Promise<Answer<'audit-sale'>> {
    const audit = await this.auditSale.audit(saleId);
    return audit ? accept(audit) : refuse('NOT_FOUND', 'There is no such sale, or it was never approved.');
  }

  @Answers('reconcile-sale')
  reconcile({ saleId, fix }: Ask<'reconcile-sale'>): Promise<Answer<'reconcile-sale'>> {
    return fix ? this.reconcileSale.fix(saleId, { accountId: fix.actor.accountId, reason: fix.reason }) : this.reconcileSale.list(saleId);
  }

  @Answers('read-rows')
  readRows({ saleId, lane, after, limit }: Ask<'read-rows'>): Promise<Answer<'read-rows'>> {
    return this.rows.page(saleId, lane, after, limit);
  }

  /** Reservations, of operators too, that the broker has and no transaction has judged: a rebuild that opens before they are would promise their units again. */
  @Answers('count-unjudged')
  async countUnjudged(): Promise<Answer<'count-unjudged'>> {
    const depths = Object.values(await this.queues.queueDepths(['order.place-order', 'order.book-take-back']));
    return { placeOrderMessages: depths.reduce((sum, { ready, unsettled }) => sum + ready + unsettled, 0) };
  }
}
