import type { Answer, Ask, BoardLane } from '@floodgate/contracts';
import { Answers, createLogger, errorText } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { Fence } from '../fence/fence.js';
import { LaneRegistry, type Lane } from '../fence/lane.registry.js';
import { RedisClock } from '../fence/redis.clock.js';
import { wholeLane } from './lane.board.js';

/** The whole board, for a gateway that has just started or has missed a beat. */
@Controller()
export class BoardController {
  private readonly logger = createLogger('board');

  constructor(
    private readonly lanes: LaneRegistry,
    private readonly fence: Fence,
    private readonly clock: RedisClock,
  ) {}

  /** Without `saleIds` of every lane. With Redis away: as last seen, not selling, at the time that Redis's clock must have reached. */
  @Answers('get-board')
  async getBoard({ saleIds }: Ask<'get-board'>): Promise<Answer<'get-board'>> {
    const lanes = saleIds === null ? this.lanes.all() : await this.lanesOf(saleIds);
    await this.fence.look(lanes).catch((error: unknown) => this.logger.debug(errorText(error)));
    const atMs = this.clock.now();
    return { atMs, lanes: lanes.map((lane) => wholeLane(lane, atMs)).filter((lane): lane is BoardLane => lane !== null) };
  }

  private async lanesOf(saleIds: readonly string[]): Promise<Lane[]> {
    const found = await Promise.all(saleIds.map(async (saleId) => {
      const known = this.lanes.ofSale(saleId);
      if (known.length > 0) return known;
      const learnt = await this.fence.learn(saleId, 0).catch(() => undefined); // with Redis away nothing can be learnt
      return learnt ? [learnt] : [];
    }));
    return found.flat();
  }
}
