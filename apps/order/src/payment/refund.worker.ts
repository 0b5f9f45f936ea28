import { crashPoint, createLogger, errorText, metrics, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Gauge } from 'prom-client';
import { SoloTask } from '../schedule/solo-task.js';
import { PaidBackOrders } from './paid-back.orders.js';
import { PaymentJudge } from './payment.judge.js';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import { RefundStore, type DueRefund } from './refund.store.js';

const batchMax = 32;
/** Longer than a refund can take, so that only a crash lets somebody else try it. */
const leaseSeconds = 30;
const backoffMaxSeconds = 60;

const waitingGauge = new Gauge({ name: 'floodgate_refunds_waiting', help: 'Refunds that the provider has not confirmed.', registers: [metrics] });
const oldestGauge = new Gauge({ name: 'floodgate_refund_oldest_seconds', help: 'Age of the oldest refund that waits.', registers: [metrics] });

/** Gives money back: tries each refund until the provider confirms it, then lets the order end. */
@Injectable()
export class RefundWorker implements OnModuleDestroy {
  private readonly log = createLogger('refund');
  private readonly task: SoloTask;

  constructor(
    private readonly refunds: RefundStore,
    private readonly providers: PaymentProviders,
    private readonly judge: PaymentJudge,
    private readonly paidBack: PaidBackOrders,
    shutdown: Shutdown,
  ) {
    this.task = new SoloTask('refund', () => this.run(), shutdown);
  }

  @Interval(500)
  tick(): Promise<void> {
    return this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private async run(): Promise<void> {
    await this.paidBack.finish();
    await this.refunds.requestForRefundingOrders();
    const due = await this.refunds.takeDue(batchMax, leaseSeconds);
    await Promise.all(due.map((refund) => this.giveBack(refund)));
    const { count, oldestSeconds } = await this.refunds.waiting();
    waitingGauge.set(count);
    oldestGauge.set(oldestSeconds);
  }

  private async giveBack({ paymentId, provider, attempts }: DueRefund): Promise<void> {
    try {
      // One refund id per payment: a repetition after a lost answer is the same refund to the provider.
      crashPoint('refund.before-provider');
      const found = await this.providers.of({ provider }).refund(paymentId, `refund.${paymentId}`);
      crashPoint('refund.after-provider');
      await this.judge.judgeAnswer(provider, found);
      crashPoint('refund.after-commit');
      if (found.state !== 'refunded') throw new Error(`the provider says that it is ${found.state}`);
    } catch (error) {
      const delaySeconds = Math.min(backoffMaxSeconds, 2 ** Math.min(attempts, 10) / 2);
      this.log.warn({ paymentId, attempts, delaySeconds, problem: errorText(error) }, 'a refund did not come through, trying again');
      await this.refunds.putOff(paymentId, delaySeconds, errorText(error));
    }
  }
}
