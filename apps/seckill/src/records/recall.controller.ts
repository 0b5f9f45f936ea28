import { accept, refuse, type Answer, type Ask } from '@floodgate/contracts';
import { Answers, createLogger, errorText, Publisher, PublishError } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { RedisClock } from '../fence/redis.clock.js';
import { republished } from '../metrics.js';
import { isOverdue } from '../relay/overdue.js';
import { publishReservations } from '../relay/publish-reservations.js';
import { reservationOf } from '../relay/reservation.js';
import { rowOf, StockStore } from '../stock/stock.store.js';
import { LaneReader } from './lane.reader.js';

/** Single reservations, for whoever holds Redis against Postgres: what is on record of them, and what is overdue once more to the judge. */
@Controller()
export class RecallController {
  private readonly logger = createLogger('recall');

  constructor(
    private readonly stock: StockStore,
    private readonly reader: LaneReader,
    private readonly clock: RedisClock,
    private readonly publisher: Publisher,
  ) {}

  @Answers('recall-reservations')
  async recall({ saleId, lane: number, rids }: Ask<'recall-reservations'>): Promise<Answer<'recall-reservations'>> {
    return this.reader.withLane(saleId, number, async ({ keys }) => {
      const [records, allotments] = [await this.stock.recall(keys, rids), await this.stock.allotments(keys)];
      const nowMs = this.clock.now();
      return accept({ rows: records.map((record) => ({ ...rowOf(record), overdue: isOverdue(record, nowMs) })), allotments });
    });
  }

  /** As the reaper would with its next round. What Postgres has spoken of since it was listed, or what is young, stays as it is. */
  @Answers('republish-reservations')
  async republish({ saleId, lane: number, rids }: Ask<'republish-reservations'>): Promise<Answer<'republish-reservations'>> {
    return this.reader.withLane(saleId, number, async (lane) => {
      const { epoch } = lane;
      const nowMs = this.clock.now();
      const overdue = (await this.stock.recall(lane.keys, rids)).filter((record) => isOverdue(record, nowMs)).map(reservationOf);
      if (!lane.open || lane.epoch !== epoch) return refuse('UNAVAILABLE', 'the lane is being loaded');
      try {
        await publishReservations(this.publisher, lane, epoch, overdue);
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        // It may have been published: again, that is harmless.
        this.logger.warn({ lane: lane.name, reservations: overdue.length }, errorText(error));
        return refuse('UNAVAILABLE', 'the broker has not confirmed the reservations');
      }
      republished.inc({ by: 'operator' }, overdue.length);
      return accept({ republished: overdue.map(({ rid }) => rid) });
    });
  }
}
