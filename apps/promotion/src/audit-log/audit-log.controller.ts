import { Controller } from '@nestjs/common';
import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers, Consume, type DeliveryOf } from '@floodgate/platform';
import { AuditLogStore } from './audit-log.store.js';

/** What auditors read, and what operators did in other services: told at least once, noted once. */
@Controller()
export class AuditLogController {
  constructor(private readonly log: AuditLogStore) {}

  /** Newest first. `INVALID_REQUEST` for a cursor that no page gave. */
  @Answers('list-audit-log')
  async list({ limit, cursor }: Ask<'list-audit-log'>): Promise<Answer<'list-audit-log'>> {
    if (cursor !== null && !/^[1-9][0-9]{0,17}$/.test(cursor)) {
      return refuse('INVALID_REQUEST', 'No page gave this cursor.', { errors: [{ path: '/query/cursor', message: 'no page gave this cursor' }] });
    }
    const { items, next } = await this.log.page(cursor, limit);
    return accept({ items, nextCursor: next });
  }

  @Consume('promotion.note-act')
  async note(deliveries: DeliveryOf<'promotion.note-act'>[]): Promise<void> {
    for (const { body } of deliveries) {
      const { actId, ...act } = body;
      await this.log.noteTold({ ...act, sourceId: actId });
    }
  }
}
