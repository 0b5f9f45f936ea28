import { Controller } from '@nestjs/common';
import { accept, refuse } from '@floodgate/contracts';
import { Consume, type Delivery } from '@floodgate/platform';
import { platformAccount } from '../audit-log/audit-log.store.js';
import { PreflightFacts } from './preflight.facts.js';
import { armFault, rowsOf } from './preflight.js';
import { SaleStore } from './sale.store.js';

/** Notes how the arming of a sale went. Repetitions and latecomers change nothing: only an approved sale is waiting for this. */
@Controller()
export class ArmConsumer {
  constructor(private readonly sales: SaleStore, private readonly facts: PreflightFacts) {}

  @Consume('promotion.note-armed')
  async note(deliveries: Delivery<'sale.armed' | 'sale.arm-failed'>[]): Promise<void> {
    for (const { name, body } of deliveries) {
      if (name === 'sale.armed') await this.noteArmed(body.saleId);
      else await this.sales.noteArmError(body.saleId, body.error);
    }
  }

  private async noteArmed(saleId: string): Promise<void> {
    const found = await this.sales.find(saleId);
    if (found?.state !== 'APPROVED') return;
    const facts = await this.facts.gather(found);
    const fault = armFault(rowsOf(found, facts, facts.clocks.postgres?.atMs ?? found.opensAtMs, ({ when }) => when === 'loaded'));
    // It is asked for again, and looked at again then.
    if (fault) return this.sales.noteArmError(saleId, fault);
    const change = { accountId: platformAccount, action: 'arm', reason: null };
    // As stored, not as this process's clock has it: a clock that is fast would take the sale for ended, and nobody would sell it.
    await this.sales.change(saleId, change, ({ state }) =>
      (state === 'APPROVED' ? accept({ state: 'ARMED', armError: null }) : refuse('INVALID_TRANSITION', 'Not waiting for this.', { state })));
  }
}
