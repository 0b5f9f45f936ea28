import { Consume, type DeliveryOf } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { BoardBeat } from '../board/board.beat.js';
import { Fence } from '../fence/fence.js';
import { LaneRegistry } from '../fence/lane.registry.js';
import { StockStore } from '../stock/stock.store.js';

const lastingStates = new Set<string>(['ARMED', 'PAUSED', 'ENDED', 'WITHDRAWN']);

/** Pause, resume, close, withdraw: into Redis, and to the gateways at once. */
@Controller()
export class ChangeSaleConsumer {
  constructor(
    private readonly stock: StockStore,
    private readonly lanes: LaneRegistry,
    private readonly fence: Fence,
    private readonly board: BoardBeat,
  ) {}

  /**
   * A sale without lanes is not sold yet: whoever loads it asks for its newest state last. With Redis away the consumer pauses.
   */
  @Consume('seckill.change-sale')
  async change(deliveries: DeliveryOf<'seckill.change-sale'>[]): Promise<void> {
    for (const { body } of deliveries) {
      if (!lastingStates.has(body.state)) continue;
      if (this.lanes.ofSale(body.saleId).length === 0) await this.fence.learn(body.saleId, 0);
      for (const lane of this.lanes.ofSale(body.saleId)) {
        if ((await this.stock.changeState(lane.keys, body.version, body.state)) === 'changed') this.board.touch(lane);
      }
    }
  }
}
