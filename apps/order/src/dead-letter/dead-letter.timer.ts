import { classifyFailure, createLogger, Database, metrics, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Gauge } from 'prom-client';
import { SoloTask } from '../schedule/solo-task.js';
import { DeadLetterDesk } from './dead-letter.desk.js';
import { DeadLetterStore } from './dead-letter.store.js';
import { ParkedOrders } from './parked-orders.js';

/** How long an operator has before parked orders are given up: their buyers and units must not wait for ever. */
export const parkedMaxMinutes = 30;
const batchMax = 100;

const waitingGauge = new Gauge({ name: 'floodgate_dead_letters_waiting', help: 'Dead letters on which nobody has decided.', registers: [metrics] });

/** Decides for operators who do not come. */
@Injectable()
export class DeadLetterTimer implements OnModuleDestroy {
  private readonly log = createLogger('dead-letter-timer');
  private readonly task: SoloTask;

  constructor(
    private readonly database: Database,
    private readonly letters: DeadLetterStore,
    private readonly desk: DeadLetterDesk,
    private readonly parked: ParkedOrders,
    shutdown: Shutdown,
  ) {
    this.task = new SoloTask('dead-letter-timer', () => this.run(), shutdown);
  }

  @Interval(5_000)
  tick(): Promise<void> {
    return this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private async run(): Promise<void> {
    for (const id of await this.letters.overdue(batchMax)) {
      await this.alone({ id }, async () => void (await this.desk.discard(id, 'system', `nobody decided within ${parkedMaxMinutes} minutes`)));
    }
    const forsaken = await this.letters.forsaken(parkedMaxMinutes, batchMax);
    for (const rid of forsaken) {
      this.log.error({ rid }, 'an order was parked and no letter speaks for it; it is closed');
      await this.alone({ rid }, async () => void (await this.database.transaction((tx) => this.parked.close(tx, [rid]))));
    }
    waitingGauge.set(await this.letters.waitingCount());
  }

  /** One that cannot be decided must not stand before the others; it is tried again at the next tick. */
  private async alone(which: { id: string } | { rid: string }, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (classifyFailure(error) === 'infrastructure') throw error;
      this.log.error({ ...which, err: error }, 'a parked order could not be given up');
    }
  }
}
