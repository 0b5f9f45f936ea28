import { Shutdown } from '@floodgate/platform';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { PaymentProviders } from '../payment-provider/payment-providers.js';
import { SoloTask } from '../schedule/solo-task.js';
import { SettlementDesk } from './settlement.desk.js';
import { SettlementStore } from './settlement.store.js';

/** Days back that are still compared: a service that was down over a weekend makes up for it. */
const daysMax = 3;

/** The daily comparison with every provider. However many processes there are, a day is taken by one of them. */
@Injectable()
export class SettlementTimer implements OnModuleDestroy {
  private readonly task: SoloTask;

  constructor(
    private readonly providers: PaymentProviders,
    private readonly settlements: SettlementStore,
    private readonly desk: SettlementDesk,
    shutdown: Shutdown,
  ) {
    this.task = new SoloTask('settlement-timer', () => this.run(), shutdown);
  }

  @Interval(300_000)
  tick(): Promise<void> {
    return this.task.tick();
  }

  onModuleDestroy(): Promise<void> {
    return this.task.stop();
  }

  private async run(): Promise<void> {
    await this.settlements.dropFailedDaily();
    for (const day of await this.settlements.finishedDays(daysMax)) {
      for (const provider of this.providers.all) await this.desk.daily(provider, day);
    }
  }
}
