import { createLogger, errorText, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { SoloTask } from '../schedule/solo-task.js';
import { PaymentJudge } from './payment.judge.js';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import { PaymentStore, type PaymentRow } from './payment.store.js';

const batchMax = 32;
/** A buyer may take minutes on the provider's page, so an open payment is asked for now and then, not watched. */
const askAgainSeconds = 30;

/** Asks the provider about open payments whose notice did not come: a lost callback must not cost a buyer the order. */
@Injectable()
export class PaymentPoller implements OnModuleDestroy {
  private readonly log = createLogger('payment-poller');
  private readonly task: SoloTask;

  constructor(
    private readonly payments: PaymentStore,
    private readonly providers: PaymentProviders,
    private readonly judge: PaymentJudge,
    shutdown: Shutdown,
  ) {
    this.task = new SoloTask('payment-poller', () => this.run(), shutdown);
  }

  @Interval(2_000)
  tick(): Promise<void> {
    return this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private async run(): Promise<void> {
    const overdue = await this.payments.takeUnanswered(batchMax, askAgainSeconds);
    await Promise.all(overdue.map((payment) => this.askFor(payment)));
  }

  private async askFor({ paymentId, provider }: PaymentRow): Promise<void> {
    try {
      const found = await this.providers.of({ provider }).read(paymentId);
      // Open: the buyer still thinks about it. Closed: only we close, and whoever did is about to close the order.
      if (found && found.state !== 'open' && found.state !== 'closed') await this.judge.judgeAnswer(provider, found);
    } catch (error) {
      this.log.warn({ paymentId, problem: errorText(error) }, 'the provider could not be asked, it will be again');
    }
  }
}
