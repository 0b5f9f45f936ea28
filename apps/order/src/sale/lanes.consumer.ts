import type { Answer } from '@floodgate/contracts';
import { Answers, Consume, crashPoint, Database, type DeliveryOf } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { ArmingMessages } from './arming.messages.js';
import { SaleStore } from './sale.store.js';

/** Lanes and their epochs: Postgres counts the loads, so that a Redis which has forgotten cannot pass for one that has not. */
@Controller()
export class LanesConsumer {
  constructor(private readonly database: Database, private readonly sales: SaleStore, private readonly messages: ArmingMessages) {}

  @Consume('order.note-loaded')
  async loaded([message]: DeliveryOf<'order.note-loaded'>[]): Promise<void> {
    const { saleId, lane, epoch } = message!.body;
    await this.database.transaction(async (tx) => {
      if (await this.sales.noteLoaded(tx, saleId, lane, epoch)) await this.messages.armed(tx, saleId);
    });
  }

  /** The message is repeated until an answer comes: lanes that were raised already are raised no further. */
  @Consume('order.rebuild-lanes')
  async rebuild([message]: DeliveryOf<'order.rebuild-lanes'>[]): Promise<void> {
    const { seen } = message!.body;
    await this.database.transaction(async (tx) => {
      const raised = await this.sales.raiseEpochs(tx, seen);
      if (raised.length > 0) await this.messages.load(tx, 'rebuild', seen);
      crashPoint('rebuild.before-commit');
    });
    crashPoint('rebuild.after-commit');
  }

  @Answers('list-lanes')
  async list(): Promise<Answer<'list-lanes'>> {
    return { lanes: await this.sales.laneLoads(this.database) };
  }
}
