import { crashPoint, createLogger, errorText, metrics, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Counter, Gauge } from 'prom-client';
import { OrderStore } from '../order/order.store.js';
import { SoloTask } from '../schedule/solo-task.js';
import { LateMoney, type Settled } from './late-money.js';
import { ReacquisitionStore, type Reacquisition } from './reacquisition.store.js';
import { ReserveDoorClient } from './reserve-door.client.js';

const batchMax = 16;
/** Longer than the door and a transaction can take, so that only a crash lets somebody else work on it. */
const leaseSeconds = 30;
const backoffMaxSeconds = 30;
/** Reserved: the order is made within moments. */
const orderDelaySeconds = 0.5;
/** A buyer's money waits this long for a door that does not answer. */
export const giveUpAfterSeconds = 900;

const waitingGauge = new Gauge({ name: 'floodgate_late_payments_waiting', help: 'Late payments that are to buy their units again.', registers: [metrics] });
const oldestGauge = new Gauge({ name: 'floodgate_late_payment_oldest_seconds', help: 'Age of the oldest of them.', registers: [metrics] });
const endedCounter = new Counter({ name: 'floodgate_late_payments_total', help: 'Late payments of sales that reacquire, by what they came to.', labelNames: ['outcome'], registers: [metrics] });

/**
 * Works off the decisions to buy late money its units again. The new reservation's id follows from the old one, so whatever of this is
 * done twice, by a crash or by two of us, takes one unit and pays one order.
 */
@Injectable()
export class ReacquireJob implements OnModuleDestroy {
  private readonly log = createLogger('reacquire');
  private readonly task: SoloTask;

  constructor(
    private readonly rows: ReacquisitionStore, private readonly orders: OrderStore, private readonly door: ReserveDoorClient,
    private readonly money: LateMoney, shutdown: Shutdown,
  ) {
    this.task = new SoloTask('reacquire', () => this.run(), shutdown);
  }

  @Interval(500)
  tick(): Promise<void> {
    return this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private async run(): Promise<void> {
    const due = await this.rows.takeDue(batchMax, leaseSeconds);
    await Promise.all(due.map((late) => this.work(late)));
    const { count, oldestSeconds } = await this.rows.waiting();
    waitingGauge.set(count);
    oldestGauge.set(oldestSeconds);
  }

  private async work(late: Reacquisition): Promise<void> {
    const { paymentId, rid, newRid, attempts } = late;
    try {
      const settled = await this.step(late);
      if (settled === 'waiting') return await this.rows.putOff(paymentId, orderDelaySeconds, null);
      if (settled === 'ended') return;
      endedCounter.inc({ outcome: settled });
      this.log.info({ paymentId, rid, newRid, attempts, outcome: settled }, 'late money has come to rest');
    } catch (error) {
      const delaySeconds = Math.min(backoffMaxSeconds, 2 ** Math.min(attempts, 10) / 4);
      this.log.warn({ paymentId, attempts, delaySeconds, problem: errorText(error) }, 'late money still waits for its units');
      await this.rows.putOff(paymentId, delaySeconds, errorText(error));
    }
  }

  /** Throws where nobody knows yet. */
  private async step(late: Reacquisition): Promise<Settled> {
    if (await this.orders.find(late.newRid)) return this.money.settle(late);
    if (!late.captured) return this.money.giveUp(late, 'the provider gave it back', late.attempts > 1);
    if (late.ageSeconds > giveUpAfterSeconds) return this.money.giveUp(late, 'no answer from the reserve door', true);
    crashPoint('reacquire.before-door');
    const { answer, word } = await this.door.reserve(late);
    crashPoint('reacquire.after-door');
    if (answer === 'held') return 'waiting';
    // Before this question there may have been one that was heard, and whose answer was lost.
    if (answer === 'refused') return this.money.giveUp(late, word, late.attempts > 1);
    throw new Error(`the reserve door says ${word}`);
  }
}
