import { createLogger, errorText, metrics, Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Counter, Gauge } from 'prom-client';
import { ProviderUnavailableError, type PaymentProvider } from '../payment-provider/payment-provider.js';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import { SoloTask } from '../schedule/solo-task.js';
import { PaymentJudge } from './payment.judge.js';
import { UnansweredStore, type Unanswered } from './unanswered.store.js';

/** Asked at the same time, and the batches of one run: a backlog after an outage must not become a storm. */
const batchMax = 32;
const batchesMax = 4;

const unansweredGauge = new Gauge({ name: 'floodgate_payments_unanswered', help: 'Open payments whose provider is overdue to be asked.', labelNames: ['provider'], registers: [metrics] });
const asksCounter = new Counter({ name: 'floodgate_payment_asks_total', help: 'Questions to providers about payments without a notice, by what came of them.', labelNames: ['provider', 'outcome'], registers: [metrics] });

/** Asks providers about payments whose notice did not come: a lost callback must cost neither a buyer the order nor anybody money. */
@Injectable()
export class PaymentPoller implements OnModuleDestroy {
  private readonly log = createLogger('payment-poller');
  private readonly task: SoloTask;
  /** Providers that did not answer last time: one question tells when they do again. */
  private readonly silent = new Set<string>();

  constructor(
    private readonly unanswered: UnansweredStore,
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

  /** Each provider by itself, so that one that is down does not keep the others waiting. */
  private async run(): Promise<void> {
    await Promise.all(this.providers.all.map((provider) => this.runFor(provider)));
    const waiting = await this.unanswered.waiting();
    for (const name of new Set([...this.providers.names, ...waiting.keys()])) unansweredGauge.set({ provider: name }, waiting.get(name) ?? 0);
  }

  private async runFor(provider: PaymentProvider): Promise<void> {
    for (let batch = 0; batch < batchesMax; batch++) {
      const limit = this.silent.has(provider.name) ? 1 : batchMax;
      const open = await this.unanswered.takeOpen(provider.name, limit);
      const ended = open.length < limit ? await this.unanswered.takeEnded(provider.name, limit - open.length) : [];
      const taken = [...open, ...ended];
      const answered = await Promise.all(taken.map((payment) => this.askFor(provider, payment)));
      await this.unanswered.putBack(taken.filter((_, index) => !answered[index]).map(({ paymentId }) => paymentId));
      if (taken.length > 0) this.silent[answered.includes(true) ? 'delete' : 'add'](provider.name);
      if (taken.length < limit || this.silent.has(provider.name)) return;
    }
  }

  /** False: the provider did not answer. */
  private async askFor(provider: PaymentProvider, { paymentId, state }: Unanswered): Promise<boolean> {
    const count = (outcome: string) => asksCounter.inc({ provider: provider.name, outcome });
    try {
      const found = await provider.read(paymentId);
      if (!found) {
        count('not-there');
        this.log.warn({ provider: provider.name, paymentId, state }, 'the provider does not know a payment that it opened');
      } else if (found.state === 'open' || found.state === 'closed') {
        // Open: the buyer still thinks about it. Closed: only we close, and whoever did is about to close the order.
        count(found.state);
      } else {
        count(await this.judge.judgeAnswer(provider.name, found));
      }
      return true;
    } catch (error) {
      const away = error instanceof ProviderUnavailableError;
      count(away ? 'unavailable' : 'failed');
      this.log[away ? 'warn' : 'error']({ provider: provider.name, paymentId, problem: errorText(error) }, 'nothing came of asking about a payment, it will be asked about again');
      return !away;
    }
  }
}
