import { Controller } from '@nestjs/common';
import { accept, refuse, saleStateAt } from '@floodgate/contracts';
import { Consume, type Delivery } from '@floodgate/platform';
import { platformAccount } from '../audit-log/audit-log.store.js';
import { SaleStore } from './sale.store.js';

/** Notes how the arming of a sale went. Repetitions and latecomers change nothing: only an approved sale is waiting for this. */
@Controller()
export class ArmConsumer {
  constructor(private readonly sales: SaleStore) {}

  @Consume('promotion.note-armed')
  async note(deliveries: Delivery<'sale.armed' | 'sale.arm-failed'>[]): Promise<void> {
    for (const { name, body } of deliveries) {
      if (name === 'sale.armed') await this.noteArmed(body.saleId);
      else await this.sales.noteArmError(body.saleId, body.error);
    }
  }

  private async noteArmed(saleId: string): Promise<void> {
    const change = { accountId: platformAccount, action: 'arm', reason: null };
    await this.sales.change(saleId, change, (sale) => {
      const state = saleStateAt(sale, Date.now());
      return state === 'APPROVED' ? accept({ state: 'ARMED', armError: null }) : refuse('INVALID_TRANSITION', 'Not waiting for this.', { state });
    });
  }
}
