import { accept, saleOfReservation, type Answer, type Ask } from '@floodgate/contracts';
import { Answers, createLogger, errorText } from '@floodgate/platform';
import { Controller } from '@nestjs/common';
import { Fence } from '../fence/fence.js';
import { LaneList } from '../fence/lane.list.js';
import { LaneRegistry } from '../fence/lane.registry.js';
import { rowOf, StockStore } from '../stock/stock.store.js';
import { LaneReader } from './lane.reader.js';

const HOLDS_PAGE = 500;

/** What Redis has on record, for buyers who ask before Postgres has spoken, and for the audit. */
@Controller()
export class RecordsController {
  private readonly logger = createLogger('records');

  constructor(
    private readonly stock: StockStore,
    private readonly lanes: LaneRegistry,
    private readonly fence: Fence,
    private readonly list: LaneList,
    private readonly reader: LaneReader,
  ) {}

  /** `sure` false: Redis may have had it and forgotten, or cannot be asked; nobody may say "there is none". */
  @Answers('find-reservation')
  async findReservation({ rid }: Ask<'find-reservation'>): Promise<Answer<'find-reservation'>> {
    const saleId = saleOfReservation(rid);
    if (saleId === null) return { found: null, sure: true };
    try {
      if (this.lanes.ofSale(saleId).length === 0) await this.fence.learn(saleId, 0);
      const lanes = this.lanes.ofSale(saleId);
      for (const lane of lanes) {
        const record = await this.stock.find(lane.keys, rid);
        if (!record) continue;
        const { settled: _settled, ...found } = rowOf(record);
        return { found: { ...found, lane: lane.lane }, sure: true };
      }
      // No lane: the sale has never sold, if the list of lanes is complete.
      return { found: null, sure: this.list.known && lanes.every((lane) => lane.open) };
    } catch (error) {
      this.logger.debug(errorText(error));
      return { found: null, sure: false };
    }
  }

  @Answers('audit-lane')
  async auditLane({ saleId, lane: number }: Ask<'audit-lane'>): Promise<Answer<'audit-lane'>> {
    return this.reader.withLane(saleId, number, async (lane) => {
      await this.fence.look([lane]);
      const counts = await this.stock.count(lane.keys);
      return accept({ epoch: lane.epoch, selling: lane.open, stock: lane.view?.items ?? [], ...counts });
    });
  }

  /** Pages of all reservations in no order; one may come twice, none is left out. The first cursor is '' or '0'. */
  @Answers('list-holds')
  async listHolds({ saleId, lane: number, cursor }: Ask<'list-holds'>): Promise<Answer<'list-holds'>> {
    return this.reader.withLane(saleId, number, async (lane) => {
      const page = await this.stock.list(lane.keys, cursor === '' ? '0' : cursor, HOLDS_PAGE);
      return accept({ rows: page.rows.map(rowOf), cursor: page.cursor });
    });
  }
}
