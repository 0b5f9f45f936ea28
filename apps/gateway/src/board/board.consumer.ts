import { Controller } from '@nestjs/common';
import type { Board as BoardMessage, MessageBody } from '@floodgate/contracts';
import { ConsumeBoard, ConsumeInstance, type InstanceDeliveryOf } from '@floodgate/platform';
import { BlockList } from '../block-list/block-list.js';
import { OrderNotices } from '../status/order-notices.js';
import { Switches } from '../switches/switches.js';
import { BoardKeeper } from './board-keeper.js';
import { Sales } from './sales.js';

/** What this instance hears: the board, and the events that make its answers newer. Every one is a hint; what is missed is asked for. */
@Controller()
export class BoardConsumer {
  constructor(
    private readonly sales: Sales,
    private readonly keeper: BoardKeeper,
    private readonly notices: OrderNotices,
    private readonly blockList: BlockList,
    private readonly switches: Switches,
  ) {}

  @ConsumeBoard()
  heardBoard(message: BoardMessage): void {
    if (!this.sales.board.apply(message)) void this.keeper.closeGap();
  }

  @ConsumeInstance('gateway.events')
  heardEvents(deliveries: InstanceDeliveryOf<'gateway.events'>[]): void {
    for (const { name, body } of deliveries) {
      if (name === 'sale.approved') this.sales.catalogue.approved(body);
      else if (name === 'sale.changed') this.heardChange(body);
      else if (name === 'block-list.changed') this.blockList.apply(body.entries);
      else if (name === 'switches.changed') this.switches.apply(body);
      else if (name === 'stock.changed') this.sales.catalogue.stockChanged(body);
      else this.notices.heard(body);
    }
  }

  private heardChange(change: MessageBody<'sale.changed'>): void {
    if (!this.sales.catalogue.changed(change)) void this.sales.catalogue.refresh();
  }
}
