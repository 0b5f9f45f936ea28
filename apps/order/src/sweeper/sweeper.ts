import { crashPoint, createLogger, Database, metrics, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Gauge } from 'prom-client';
import { OrderStore } from '../order/order.store.js';
import { SoloTask } from '../schedule/solo-task.js';
import { ClosingStore, type TakenOrder } from './closing.store.js';
import { OrderCloser } from './order.closer.js';

const dueMax = 500;
const takeMax = 100;
/** Longer than asking the provider for a whole batch can take; after a crash somebody else takes over then. */
const leaseSeconds = 30;
const backoffMaxSeconds = 30;
/** From this try on it is no longer a hiccup, and people should know. */
const warnFromAttempt = 3;

const closingGauge = new Gauge({ name: 'floodgate_orders_closing', help: 'Orders that wait for the provider to close their payment.', registers: [metrics] });
const oldestGauge = new Gauge({ name: 'floodgate_closing_oldest_seconds', help: 'How long the oldest of them has been closing.', registers: [metrics] });

/**
 * The saga's timer: orders whose time to pay is over become CLOSING, and those in CLOSING, whoever put them there, are closed.
 * The clock is the database's. A provider that does not answer leaves an order in CLOSING, still holding: units are rather kept from
 * others for a while than sold twice.
 */
@Injectable()
export class Sweeper implements OnModuleDestroy {
  private readonly log = createLogger('sweeper');
  private readonly task: SoloTask;

  constructor(
    private readonly database: Database,
    private readonly orders: OrderStore,
    private readonly closing: ClosingStore,
    private readonly closer: OrderCloser,
    shutdown: Shutdown,
  ) {
    this.task = new SoloTask('sweeper', () => this.sweep(), shutdown);
  }

  @Interval(500)
  tick(): Promise<void> {
    return this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private async sweep(): Promise<void> {
    await this.startClosingDue();
    // While there is more and somebody answers; else the next tick is soon enough.
    for (let more = true; more;) {
      const taken = await this.closing.take(takeMax, leaseSeconds);
      more = (await this.finish(taken)) && taken.length === takeMax;
    }
    const { count, oldestSeconds } = await this.closing.waiting();
    closingGauge.set(count);
    oldestGauge.set(oldestSeconds);
  }

  private async startClosingDue(): Promise<void> {
    const due = await this.closing.due(dueMax);
    for (const [saleId, group] of Map.groupBy(due, (order) => order.saleId)) {
      await this.database.transaction(async (tx) => {
        await this.orders.startClosing(tx, saleId, group.map((order) => order.rid), 'payment-timeout');
        crashPoint('sweep.before-commit');
      });
      crashPoint('sweep.after-commit');
    }
  }

  /** False: not one of them could be closed. */
  private async finish(taken: readonly TakenOrder[]): Promise<boolean> {
    if (taken.length === 0) return true;
    const results = await this.closer.finish(taken);
    for (const order of taken) {
      const result = results.get(order.rid);
      if (result?.word !== 'unknown') continue;
      const delaySeconds = Math.min(backoffMaxSeconds, 2 ** Math.min(order.attempts, 10) / 2);
      if (order.attempts >= warnFromAttempt) this.log.warn({ rid: order.rid, attempts: order.attempts, delaySeconds }, 'an order cannot be closed yet and keeps its units');
      await this.closing.putOff(order, delaySeconds, result.problem ?? '');
    }
    return taken.some((order) => results.get(order.rid)?.word !== 'unknown');
  }
}
