import { ConsumerProbes, createRedis, Readiness } from '@floodgate/platform';
import { Injectable, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { BoardBeat } from './board/board.beat.js';
import { BoardController } from './board/board.controller.js';
import { BoardOutlet } from './board/board.outlet.js';
import { ChallengeController } from './challenge/challenge.controller.js';
import { UsedChallengeStore } from './challenge/used-challenge.store.js';
import { CodePoolStore } from './codes/code-pool.store.js';
import { CodeController } from './codes/code.controller.js';
import type { Config } from './config.js';
import { Fence } from './fence/fence.js';
import { LaneList } from './fence/lane.list.js';
import { LaneLoader } from './fence/lane.loader.js';
import { LaneRegistry } from './fence/lane.registry.js';
import { LaneWatch } from './fence/lane.watch.js';
import { LoadLanesConsumer } from './fence/load-lanes.consumer.js';
import { RedisClock } from './fence/redis.clock.js';
import { RedisLink } from './fence/redis.link.js';
import { LaneGauges } from './gauges/lane.gauges.js';
import { RedisGauges } from './gauges/redis.gauges.js';
import { CheckRedisController } from './records/check-redis.controller.js';
import { LaneReader } from './records/lane.reader.js';
import { RecallController } from './records/recall.controller.js';
import { RecordsController } from './records/records.controller.js';
import { Reaper } from './relay/reaper.js';
import { ReservationRelay } from './relay/reservation.relay.js';
import { Reservations } from './reserve/reservations.js';
import { ReserveController } from './reserve/reserve.controller.js';
import { TakeBackController } from './reserve/take-back.controller.js';
import { BoardStore } from './stock/board.store.js';
import { LoadStore } from './stock/load.store.js';
import { RelayStore } from './stock/relay.store.js';
import { StockStore } from './stock/stock.store.js';
import { ChangeSaleConsumer } from './sync/change-sale.consumer.js';
import { SyncStockConsumer } from './sync/sync-stock.consumer.js';

/** What the process cannot do its job without, and the connection's end. */
@Injectable()
class RedisLifecycle implements OnApplicationShutdown {
  constructor(redis: Redis, private readonly link: RedisLink, list: LaneList, readiness: Readiness, probes: ConsumerProbes) {
    readiness.register('redis', () => link.up);
    // A platform without sales has no lanes, and that is known too.
    readiness.register('lanes', () => list.known);
    const answers = async () => (await redis.ping()) === 'PONG';
    for (const queue of ['seckill.sync-stock', 'seckill.change-sale', 'seckill.load-lanes'] as const) probes.register(queue, answers);
  }

  onApplicationShutdown(): void {
    this.link.leave();
  }
}

/** Who wins. Owns Redis; knows no SQL. */
@Module({})
export class AppModule {
  static with(config: Pick<Config, 'REDIS_URL'>): DynamicModule {
    return {
      module: AppModule,
      controllers: [ReserveController, TakeBackController, SyncStockConsumer, ChangeSaleConsumer, LoadLanesConsumer, BoardController, RecordsController, RecallController, CheckRedisController, ChallengeController, CodeController],
      providers: [
        { provide: Redis, useFactory: () => createRedis(config.REDIS_URL, { name: 'seckill' }) },
        RedisLifecycle, RedisLink, RedisClock,
        StockStore, LoadStore, BoardStore, RelayStore, CodePoolStore,
        LaneRegistry, LaneList, LaneLoader, LaneWatch, Fence,
        LaneReader, UsedChallengeStore, BoardBeat, BoardOutlet, Reservations, ReservationRelay, Reaper, LaneGauges, RedisGauges,
      ],
    };
  }
}
