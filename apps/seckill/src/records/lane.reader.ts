import { refuse } from '@floodgate/contracts';
import { createLogger, errorText } from '@floodgate/platform';
import { Injectable } from '@nestjs/common';
import { Fence } from '../fence/fence.js';
import type { Lane } from '../fence/lane.registry.js';

const redisAway = () => refuse('UNAVAILABLE', 'what Redis has cannot be read now');

/** Finds the lane that a question is about, and says so where Redis does not have it or cannot be read. */
@Injectable()
export class LaneReader {
  private readonly logger = createLogger('records');

  constructor(private readonly fence: Fence) {}

  async withLane<T>(saleId: string, number: number, read: (lane: Lane) => Promise<T>): Promise<T | ReturnType<typeof redisAway>> {
    try {
      const lane = await this.fence.learn(saleId, number);
      return lane?.present ? await read(lane) : refuse('SALE_NOT_FOUND', 'Redis does not have this lane');
    } catch (error) {
      this.logger.debug(errorText(error));
      return redisAway();
    }
  }
}
