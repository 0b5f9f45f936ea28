import { Controller } from '@nestjs/common';
import type { Board as BoardMessage, MessageBody } from '@floodgate/contracts';
import { ConsumeBoard, ConsumeInstance, type InstanceDeliveryOf } from '@floodgate/platform';
import { BlockList } from '../block-list/block-list.js';
import { OrderNotices } from '../status/order-notices.js';
import { Board } from './board.js';
import { BoardKeeper } from './board-keeper.js';
import { SaleCatalogue } from './sale-catalogue.js';

/** What this instance hears: the board, and the events that make its answers newer. Every one is a hint; what is missed is asked for. */
@Controller()
export class BoardConsumer {
  constructor(
    private readonly board: Board,
    private readonly keeper: BoardKeeper,
    private readonly catalogue: SaleCatalogue,
    private readonly notices: OrderNotices,
    private readonly blockList: BlockList,
  ) {}

  @ConsumeBoard()
  heardBoard(message: BoardMessage): void {
    if (!this.board.apply(message)) void this.keeper.closeGap();
  }

  @ConsumeInstance('gateway.events')
  heardEvents(deliveries: InstanceDeliveryOf<'gateway.events'>[]): void {
    for (const { name, body } of deliveries) {
      if (name === 'sale.approved') this.catalogue.approved(body);
      else if (name === 'sale.changed') this.heardChange(body);
      else if (name === 'block-list.changed') this.blockList.apply(body.entries);
      else this.notices.heard(body);
    }
  }

  private heardChange(change: MessageBody<'sale.changed'>): void {
    if (!this.catalogue.changed(change)) void this.catalogue.refresh();
  }
}
