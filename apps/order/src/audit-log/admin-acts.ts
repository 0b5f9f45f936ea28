import { randomUUID } from 'node:crypto';
import type { AdminAct } from '@floodgate/contracts';
import { Outbox, type Transaction } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';

/** Tells the audit log, which is promotion's, what an operator did here. */
@Injectable()
export class AdminActs {
  constructor(private readonly outbox: Outbox) {}

  /** In the transaction of the act: either both have happened or neither. */
  async note(tx: Transaction, act: Omit<AdminAct, 'actId' | 'atMs'>): Promise<void> {
    await this.outbox.add(tx, 'admin.acted', [{ ...act, actId: randomUUID(), atMs: Date.now() }]);
  }
}
